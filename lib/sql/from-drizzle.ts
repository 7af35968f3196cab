import { OptionChecks } from '../common/option-checks.js';
import type { Statement } from '../database/dialect.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import type { SqliteHandle } from '../database/sql-driver.js';
import type { TransactionProof } from '../database/transaction-proof.js';
import type { ClientSource } from './client-source.js';
import type { Answer } from './databases/client-database.js';
import { DATABASES, SQLITE } from './databases/databases.js';
import { DriverClient } from './driver-client.js';
import {
  drizzleDatabase,
  type DrizzleInternals,
  kindsOf,
  withoutParams,
} from './databases/drizzle-objects.js';
import { HandleClient } from './handle-client.js';
import {
  type AnyStoreOptions,
  defineDriverClient,
  givenDriver,
  shownPool,
} from './store-driver.js';

/** The part of a Drizzle database that is used. */
export interface DrizzleDatabase {
  execute(query: never): PromiseLike<unknown>;
  transaction(work: never, config?: never): PromiseLike<unknown>;
}

/** The transaction of `db.transaction(async (tx) => …)`. */
export interface DrizzleTransaction {
  execute(query: never): PromiseLike<unknown>;
  rollback(): never;
  /** Only the database has this property, and the database is in no transaction. */
  readonly $client?: never;
}

/** The part of a Drizzle database on `better-sqlite3` that is used. */
export interface DrizzleSqliteDatabase {
  run(query: never): unknown;
  transaction(work: never, config?: never): unknown;
  readonly $client: SqliteHandle;
}

const CALLER = 'fromDrizzle()';

/**
 * Stores messages with Drizzle on PostgreSQL, MariaDB and SQLite. All other work runs on the pool of `pg` or `mysql2`
 * that Drizzle works with, or on the pool of the options; on `better-sqlite3`, on a second connection to the file, where no
 * message is stored in a transaction of the application, as with `fromBetterSqlite3()`.
 *
 * @param db the application's database, its injection token or a factory; for `withReplicas()`, the library uses the
 * primary database
 * @param options `url` or `pool`, where Drizzle works with another driver than `pg` or `mysql2`
 * @throws `ThornConfigurationError` here or at start-up, for a wrong argument
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromDrizzle(db) });
 * ```
 */
export function fromDrizzle(
  db: ClientSource<DrizzleDatabase>,
  options?: AnyStoreOptions,
): SqlClientDefinition<DrizzleTransaction>;
export function fromDrizzle(db: ClientSource<DrizzleSqliteDatabase>): SqlClientDefinition<never>;
export function fromDrizzle(
  db: ClientSource<object>,
  options: AnyStoreOptions = {},
): SqlClientDefinition<never> {
  return defineDriverClient<object, never>(
    { caller: CALLER, databases: DATABASES, client: db, options },
    (db, connect) => {
      const primary = ((db as DrizzleInternals).$primary ?? db) as DrizzleInternals;
      const database = drizzleDatabase(primary, DATABASES);
      if (database === SQLITE) {
        new OptionChecks(`${CALLER} on SQLite`).names(options, []);
        const driver = givenDriver(CALLER, SQLITE, primary.$client ?? {});
        return new HandleClient('Drizzle', { database, driver }, primary.$client as SqliteHandle);
      }
      const own = shownPool(database, options, primary.$client);
      return new DrizzleSqlClient(connect(database, own), own && primary.dialect);
    },
  );
}

class DrizzleSqlClient extends DriverClient<DrizzleTransaction> {
  readonly name = 'Drizzle';
  protected readonly how = 'db.transaction(async (tx) => …)';

  // An object of Drizzle has one transaction. Kept, its proof refuses the object once its connection has another one.
  readonly #proofs = new WeakMap<DrizzleTransaction, TransactionProof | undefined>();

  protected override check(tx: DrizzleTransaction): void {
    const kinds = kindsOf(tx);
    if (!kinds.some((kind) => kind.endsWith('Transaction'))) throw this.required();
    drizzleDatabase(tx, [this.database]);
    // Drizzle still runs the statements of a transaction that has ended, outside of any transaction.
    this.checkStatus((tx as DrizzleInternals).session?.client, () => this.ended());
  }

  protected override originOf(tx: DrizzleTransaction): object {
    return (tx as DrizzleInternals).dialect ?? tx;
  }

  protected override proofOf(tx: DrizzleTransaction): TransactionProof | undefined {
    if (!this.#proofs.has(tx)) this.#proofs.set(tx, super.proofOf(tx));
    return this.#proofs.get(tx);
  }

  protected override async run(tx: DrizzleTransaction, statement: Statement): Promise<Answer> {
    const query = { sql: statement.sql, params: [...statement.parameters] };
    // The same object as Drizzle's `sql` makes. Drizzle itself is not imported, because that could be another copy of the
    // package.
    const sql = { getSQL: () => sql, toQuery: () => query };
    try {
      return this.database.answerOf(await tx.execute(sql as never));
    } catch (error) {
      throw withoutParams(error);
    }
  }
}
