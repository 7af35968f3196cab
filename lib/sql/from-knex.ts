import type { Statement } from '../database/dialect.js';
import { OptionChecks } from '../common/option-checks.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import type { SqliteHandle } from '../database/sql-driver.js';
import type { ClientSource } from './client-source.js';
import type { Answer, ClientDatabase } from './databases/client-database.js';
import { databaseNamed, DATABASES, SQLITE } from './databases/databases.js';
import { DriverClient } from './driver-client.js';
import { type AnyStoreOptions, defineDriverClient, shownPool } from './store-driver.js';

const PLACE = 'fromKnex()';

/** The part of a `knex` that is used. */
export interface KnexDatabase {
  raw(sql: string, bindings: never): unknown;
  transaction(work: never, config?: never): unknown;
}

/** What `knex.transaction(async (trx) => …)` gives. */
export interface KnexTransaction {
  raw(sql: string, bindings: never): unknown;
  isCompleted(): boolean;
}

/** What Knex's types leave out. */
interface Internals {
  readonly isTransaction?: boolean;
  readonly client?: {
    readonly driverName?: string;
    /** One for a `knex` and its transactions. */
    readonly config: { readonly connectionPool?: object };
    readonly pool?: { readonly min: number; readonly max: number };
    acquireConnection(): Promise<object>;
    releaseConnection(connection: object): Promise<void>;
  };
}

/**
 * Stores messages by Knex, on `pg`, `mysql2` or `better-sqlite3`. Everything else runs on the pool of the options, as that
 * of Knex is one of its own; of a `knex` with the setting `connectionPool` that pool is taken. On SQLite there are no
 * options: the connection of Knex is found.
 *
 * @param knex the application's, its injection token or a factory
 * @throws `ThornConfigurationError` here or at start-up, naming what is wrong
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
  // A function, as classes are: Nest would take it for a token.
  const client = 'raw' in Object(knex) ? { useFactory: () => knex as KnexDatabase } : knex;
  return defineDriverClient(
    { place: PLACE, databases: DATABASES, client, options },
    async (knex, connect) => {
      const { client } = knex as Internals;
      const database = databaseOf(knex);
      if (database === SQLITE) {
        new OptionChecks(`${PLACE} on SQLite`).names(options, []);
        const isOne = client!.pool?.min === 1 && client!.pool.max === 1;
        const rule =
          'must keep one connection on SQLite, as is the default: pool: { min: 1, max: 1 }';
        new OptionChecks(PLACE).assert('client', isOne, rule);
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
    // One of Kysely has the first alone.
    if (!isTransaction || typeof trx.isCompleted !== 'function') throw this.required();
    databaseOf(trx, [this.database]);
    if (trx.isCompleted()) throw this.ended();
  }

  protected override originOf(trx: KnexTransaction): object {
    return (trx as Internals).client!.config;
  }

  /** On the connection of the transaction: what comes by Knex, the setting `postProcessResponse` renames. */
  protected override async run(trx: KnexTransaction, statement: Statement): Promise<Answer> {
    const connection = await (trx as Internals).client!.acquireConnection();
    if (trx.isCompleted() || (connection as Partial<SqliteHandle>).inTransaction === false) {
      throw this.ended();
    }
    return this.database.runOn(connection, statement);
  }
}

/** @param databases that it may be of */
function databaseOf(knex: object, databases = DATABASES): ClientDatabase {
  const driverName = (knex as Internals).client?.driverName;
  const named = DATABASES.find(({ driver }) => driver === driverName);
  return databaseNamed(PLACE, `The client (${driverName})`, databases, named?.names[0]);
}
