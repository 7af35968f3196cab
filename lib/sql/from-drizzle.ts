import { OptionChecks } from '../common/option-checks.js';
import type { Statement } from '../database/dialect.js';
import type { Result, SqlClientDefinition } from '../database/sql-client.js';
import type { PgPool } from '../database/sql-driver.js';
import { type ClientSource, defineSqlClient } from './client-source.js';
import { PostgresClient, resultOf, type TransactionStatus } from './postgres-client.js';
import {
  checkStoreOptions,
  type ClientsPool,
  type StoreOptions,
  type StorePool,
  storePool,
  type TableOptions,
  unsupportedDatabase,
} from './store-pool.js';

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
  /** Of `pg`: a pool, or one connection. */
  readonly $client?: PgPool & { readonly totalCount?: number };
  /** Of `withReplicas()`. */
  readonly $primary?: object;
  /** One for a database and its transactions. */
  readonly dialect?: object;
  readonly session?: { readonly client?: TransactionStatus };
}

const PLACE = 'fromDrizzle()';
const ENTITY_KIND: unique symbol = Symbol.for('drizzle:entityKind');

/**
 * Stores messages by Drizzle on PostgreSQL. Everything else runs on the pool of `pg` that the database has, or on that of
 * the options.
 *
 * @param db the application's database, its injection token or a factory; of `withReplicas()` the primary one is taken
 * @param options `url` or `pool` where Drizzle works with another driver than `pg`
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
  checkStoreOptions(PLACE, options);
  return defineSqlClient<[DrizzleDatabase, PgPool | undefined], DrizzleTransaction>(
    PLACE,
    [db, options.pool],
    (db, pool) => {
      const database = ((db as Internals).$primary ?? db) as Internals;
      assertOnPostgres(database);
      const { $client: own, dialect } = database;
      const given = pool ?? ('url' in options ? undefined : own);
      const isOwn = given === own && own?.totalCount !== undefined;
      const store = storePool(PLACE, options, isOwn ? own : pool);
      if (store !== undefined) return new DrizzleSqlClient(store, isOwn ? dialect : undefined);
      const rule = 'or `url` must be given, as this database shows no pool of `pg`';
      throw new OptionChecks(PLACE).error('pool', rule);
    },
  );
}

class DrizzleSqlClient extends PostgresClient<DrizzleTransaction> {
  readonly name = 'Drizzle';

  constructor(store: StorePool, same: object | undefined) {
    super('db.transaction(async (tx) => …)', store, same);
  }

  protected override check(tx: DrizzleTransaction): Statement | undefined {
    const kinds = kindsOf(tx);
    if (!kinds.some((kind) => kind.endsWith('Transaction'))) throw this.required();
    assertOnPostgres(tx);
    // Drizzle runs statements of a transaction that has ended, outside of any.
    return this.askStatus((tx as Internals).session?.client, () => this.ended());
  }

  protected override originOf(tx: DrizzleTransaction): object {
    return (tx as Internals).dialect ?? tx;
  }

  protected override async run(tx: DrizzleTransaction, statement: Statement): Promise<Result> {
    const query = { sql: statement.sql, params: [...statement.parameters] };
    // What `sql` makes, without Drizzle's own: that would come from another copy of the package.
    const sql = { getSQL: () => sql, toQuery: () => query };
    return resultOf(await tx.execute(sql as never));
  }
}

function assertOnPostgres(database: object): void {
  if (kindsOf(database).some((kind) => kind.startsWith('Pg'))) return;
  throw unsupportedDatabase(PLACE, 'The database');
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
