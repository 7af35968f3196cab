import type { DialectName, Statement } from '../database/dialect.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import { type ClientSource, defineSqlClient } from './client-source.js';
import type { Answer, ClientDatabase } from './databases/client-database.js';
import { MYSQL } from './databases/mysql.js';
import { POSTGRES } from './databases/postgres.js';
import { DriverClient, type TransactionStatus } from './driver-client.js';
import {
  type AnyPool,
  checkStoreOptions,
  type ClientsPool,
  databaseNamed,
  shownPool,
  type StoreDriver,
  storeDriver,
  type StoreOptions,
  type TableOptions,
} from './store-driver.js';

/** The part of a Drizzle database that is used. */
export interface DrizzleDatabase {
  execute(query: never): PromiseLike<unknown>;
  transaction(work: never, config?: never): PromiseLike<unknown>;
}

/** What `db.transaction(async (tx) => …)` gives. */
export interface DrizzleTransaction {
  execute(query: never): PromiseLike<unknown>;
  rollback(): never;
  /** The database has it, and is in no transaction. */
  readonly $client?: never;
}

/** What Drizzle's types leave out, or have for some drivers alone. */
interface Internals {
  /** The driver's: a pool, or one connection. */
  readonly $client?: object;
  /** Of `withReplicas()`. */
  readonly $primary?: object;
  /** One for a database and its transactions. */
  readonly dialect?: object;
  readonly session?: { readonly client?: TransactionStatus };
}

const PLACE = 'fromDrizzle()';
const ON = [POSTGRES, MYSQL];
const ENTITY_KIND: unique symbol = Symbol.for('drizzle:entityKind');

/**
 * Stores messages by Drizzle on PostgreSQL and MariaDB. Everything else runs on the pool of `pg` or `mysql2` that the database
 * has, or on that of the options.
 *
 * @param db the application's database, its injection token or a factory; of `withReplicas()` the primary one is taken
 * @param options `url` or `pool` where Drizzle works with another driver than those
 * @throws `ThornConfigurationError` here or at start-up, naming what is wrong
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromDrizzle(db) });
 * ```
 */
export function fromDrizzle(
  db: ClientSource<DrizzleDatabase>,
  options: StoreOptions | (TableOptions & ClientsPool) = {},
): SqlClientDefinition<DrizzleTransaction> {
  checkStoreOptions(PLACE, ON, options);
  return defineSqlClient<[DrizzleDatabase, AnyPool | undefined], DrizzleTransaction>(
    PLACE,
    [db, options.pool],
    (db, pool) => {
      const primary = ((db as Internals).$primary ?? db) as Internals;
      const database = databaseOf(primary);
      const own = shownPool(database, options, primary.$client);
      const store = storeDriver(PLACE, database, options, pool ?? own);
      return new DrizzleSqlClient(database, store, own && primary.dialect);
    },
  );
}

class DrizzleSqlClient extends DriverClient<DrizzleTransaction> {
  readonly name = 'Drizzle';

  constructor(database: ClientDatabase, store: StoreDriver, same: object | undefined) {
    super(database, 'db.transaction(async (tx) => …)', store, same);
  }

  protected override check(tx: DrizzleTransaction): string | undefined {
    const kinds = kindsOf(tx);
    if (!kinds.some((kind) => kind.endsWith('Transaction'))) throw this.required();
    databaseOf(tx, [this.database]);
    // Drizzle runs statements of a transaction that has ended, outside of any.
    if (this.database === MYSQL) return MYSQL.driverQuestion;
    return this.checkStatus((tx as Internals).session?.client, () => this.ended());
  }

  protected override originOf(tx: DrizzleTransaction): object {
    return (tx as Internals).dialect ?? tx;
  }

  protected override async run(tx: DrizzleTransaction, statement: Statement): Promise<Answer> {
    const query = { sql: statement.sql, params: [...statement.parameters] };
    // What `sql` makes, without Drizzle's own: that would come from another copy of the package.
    const sql = { getSQL: () => sql, toQuery: () => query };
    return this.database.answerOf(await tx.execute(sql as never));
  }
}

const DIALECTS: Readonly<Record<string, DialectName>> = {
  Pg: 'postgres',
  MySql: 'mysql',
};

/** @param databases that it may be of */
function databaseOf(object: object, databases = ON): ClientDatabase {
  const kinds = kindsOf(object);
  const known = Object.keys(DIALECTS).find((start) => kinds.some((kind) => kind.startsWith(start)));
  return databaseNamed(PLACE, 'The database', databases, DIALECTS[known ?? '']);
}

/** The names that Drizzle gives a class and those that it extends. */
function kindsOf(object: object): readonly string[] {
  const kinds: string[] = [];
  let type = object?.constructor as { readonly [ENTITY_KIND]?: string };
  for (; type?.[ENTITY_KIND] !== undefined; type = Object.getPrototypeOf(type) as typeof type) {
    kinds.push(type[ENTITY_KIND]);
  }
  return kinds;
}
