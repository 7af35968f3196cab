import type { Statement } from '../database/dialect.js';
import { OptionChecks } from '../common/option-checks.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import type { SqliteHandle } from '../database/sql-driver.js';
import type { ClientSource } from './client-source.js';
import type { Answer, ClientDatabase } from './databases/client-database.js';
import { databaseNamed, DATABASES, SQLITE } from './databases/databases.js';
import { DriverClient } from './driver-client.js';
import { type AnyStoreOptions, defineDriverClient, shownPool } from './store-driver.js';

const CALLER = 'fromKnex()';

/** The part of a `knex` that is used. */
export interface KnexDatabase {
  raw(sql: string, bindings: never): unknown;
  transaction(work: never, config?: never): unknown;
}

/** The transaction of `knex.transaction(async (trx) => …)`. */
export interface KnexTransaction {
  raw(sql: string, bindings: never): unknown;
  isCompleted(): boolean;
}

/** Properties that Knex's types leave out. */
interface Internals {
  readonly isTransaction?: boolean;
  readonly client?: {
    readonly driverName?: string;
    /** The settings. A `knex` and its transactions share one object. */
    readonly config: { readonly connectionPool?: object };
    readonly pool?: { readonly min: number; readonly max: number };
    acquireConnection(): Promise<object>;
    releaseConnection(connection: object): Promise<void>;
  };
}

/**
 * Stores messages with Knex, on `pg`, `mysql2` or `better-sqlite3`. All other work runs on the pool of the options,
 * because the pool of Knex is not a pool of the driver; when `knex` has the setting `connectionPool`, the library uses
 * that pool. On SQLite there are no options, because the library finds the connection of Knex.
 *
 * @param knex the application's `knex`, its injection token or a factory
 * @throws `ThornConfigurationError` here or at start-up, for a wrong argument
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromKnex(knex, { url: process.env.DATABASE_URL }) });
 * ```
 */
export function fromKnex(
  knex: ClientSource<KnexDatabase>,
  options: AnyStoreOptions = {},
): SqlClientDefinition<KnexTransaction> {
  // A `knex` is a function, like a class, so that Nest would take it for an injection token.
  const client = 'raw' in Object(knex) ? { useFactory: () => knex as KnexDatabase } : knex;
  return defineDriverClient(
    { caller: CALLER, databases: DATABASES, client, options },
    async (knex, connect) => {
      const { client } = knex as Internals;
      const database = databaseOf(knex);
      if (database === SQLITE) {
        new OptionChecks(`${CALLER} on SQLite`).names(options, []);
        const isOne = client!.pool?.min === 1 && client!.pool.max === 1;
        const rule =
          'must keep one connection on SQLite, as is the default: pool: { min: 1, max: 1 }';
        new OptionChecks(CALLER).assert('client', isOne, rule);
        const handle = await client!.acquireConnection();
        await client!.releaseConnection(handle);
        return new KnexSqlClient(connect(database, handle), client!.config);
      }
      const own = shownPool(database, options, client?.config.connectionPool);
      return new KnexSqlClient(connect(database, own), own && client?.config);
    },
  );
}

class KnexSqlClient extends DriverClient<KnexTransaction> {
  readonly name = 'Knex';
  protected readonly how = 'knex.transaction(async (trx) => …)';

  protected override check(trx: KnexTransaction): void {
    const isTransaction = (trx as Internals | undefined)?.isTransaction === true;
    // A transaction of Kysely has only the first of the two properties.
    if (!isTransaction || typeof trx.isCompleted !== 'function') throw this.required();
    databaseOf(trx, [this.database]);
    if (trx.isCompleted()) throw this.ended();
  }

  protected override originOf(trx: KnexTransaction): object {
    return (trx as Internals).client!.config;
  }

  /**
   * Runs the statement on the connection of the transaction. Knex itself could rename the columns of the answer, by its
   * setting `postProcessResponse`.
   */
  protected override async run(trx: KnexTransaction, statement: Statement): Promise<Answer> {
    const connection = await (trx as Internals).client!.acquireConnection();
    if (trx.isCompleted() || (connection as Partial<SqliteHandle>).inTransaction === false) {
      throw this.ended();
    }
    return this.database.runOn(connection, statement);
  }
}

/** @param databases the databases that are possible */
function databaseOf(knex: object, databases = DATABASES): ClientDatabase {
  const driverName = (knex as Internals).client?.driverName;
  const named = DATABASES.find(({ driver }) => driver === driverName);
  return databaseNamed(CALLER, `The client (${driverName})`, databases, named?.names[0]);
}
