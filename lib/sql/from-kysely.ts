import { OptionChecks } from '../common/option-checks.js';
import type { Statement } from '../database/dialect.js';
import type { Row, SqlClientDefinition } from '../database/sql-client.js';
import type { SqliteHandle } from '../database/sql-driver.js';
import type { ClientSource } from './client-source.js';
import type { Answer, ClientDatabase } from './databases/client-database.js';
import { databaseNamed, DATABASES, SQLITE } from './databases/databases.js';
import { DriverClient } from './driver-client.js';
import {
  defineDriverClient,
  type GivenDriver,
  type StoreDriver,
  type StoreOptions,
} from './store-driver.js';

const CALLER = 'fromKysely()';

/** The part of a `Kysely` that is used. */
export interface KyselyDatabase {
  getExecutor(): KyselyExecutor;
  transaction(): object;
}

/** The part of Kysely's `QueryExecutor` that is used. */
export interface KyselyExecutor {
  /** The adapter. A database and its transactions share one object. */
  readonly adapter: object;
  /** Gives the connection to the consumer, or refuses when the transaction has ended by then. */
  provideConnection(consumer: never): PromiseLike<unknown>;
}

/** The part of Kysely's `DatabaseConnection` that is used. Plugins do not see the statements that run on it. */
interface KyselyConnection {
  executeQuery(query: object): Promise<QueryResult>;
}

/** The transaction of `db.transaction().execute(async (trx) => …)` and of `db.startTransaction().execute()`. */
export interface KyselyTransaction {
  /** True for a transaction. The database has the property as well: there it is false. */
  readonly isTransaction: true;
  getExecutor(): KyselyExecutor;
}

/**
 * Stores messages with Kysely on PostgreSQL, MariaDB and SQLite. All other work runs on the pool of the options,
 * because Kysely does not show its pool; on SQLite, on a second connection beside the connection of the option
 * `driver`. Plugins, such as `CamelCasePlugin`, see no statement of the library.
 *
 * @param db the application's database, its injection token or a factory
 * @throws `ThornConfigurationError` here or at start-up, for a wrong argument
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromKysely(db, { pool }) });
 * ```
 */
export function fromKysely(
  db: ClientSource<KyselyDatabase>,
  options: StoreOptions | GivenDriver,
): SqlClientDefinition<KyselyTransaction> {
  const check = new OptionChecks(CALLER);
  check.given(options);
  const { driver, ...others } = options as GivenDriver & StoreOptions;
  if (driver !== undefined) check.names(options, ['driver']);
  return defineDriverClient(
    { caller: CALLER, databases: DATABASES, client: db, options: others, driver, hasPool: false },
    (db, connect) => {
      const isDatabase = typeof db?.getExecutor === 'function';
      check.assert('db', isDatabase, 'must be a Kysely, or what gives one');
      const database = databaseOf(db);
      const isShown = database !== SQLITE || driver !== undefined;
      check.assert('driver', isShown, 'must be given on SQLite: the Database that Kysely works on');
      return new KyselySqlClient(connect(database), db.getExecutor().adapter);
    },
  );
}

interface QueryResult {
  readonly rows: readonly Row[];
  readonly numAffectedRows?: bigint;
}

class KyselySqlClient extends DriverClient<KyselyTransaction> {
  readonly name = 'Kysely';
  protected readonly how = 'db.transaction().execute(async (trx) => …)';
  /** The connection of the database, on SQLite only. */
  readonly #handle: SqliteHandle | undefined;

  /** @param adapter the adapter of the database */
  constructor(
    store: StoreDriver,
    private readonly adapter: object,
  ) {
    super(store);
    this.#handle = store.driver.kind === 'better-sqlite3' ? store.driver.handle : undefined;
  }

  protected override check(trx: KyselyTransaction): void {
    if (!trx?.isTransaction || typeof trx.getExecutor !== 'function') throw this.required();
    databaseOf(trx, [this.database]);
  }

  protected override originOf(trx: KyselyTransaction): object {
    return trx.getExecutor().adapter;
  }

  protected override async run(
    trx: KyselyTransaction,
    { sql, parameters }: Statement,
  ): Promise<Answer> {
    // The same object as `CompiledQuery.raw()` makes. Kysely itself is not imported, because that could be another copy of
    // the package.
    const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] };
    const compiled = { sql, parameters, query, queryId: { queryId: 'thorn' } };
    const executor = trx.getExecutor();
    const handle = executor.adapter === this.adapter ? this.#handle : undefined;
    const execute = async (connection: KyselyConnection) => {
      // Kysely notices the end of a transaction a moment after the ROLLBACK. A statement in this moment would run outside
      // of any transaction on SQLite.
      if (handle?.inTransaction === false) throw this.ended();
      return connection.executeQuery(compiled);
    };
    const result = (await executor.provideConnection(execute as never)) as QueryResult;
    return { rows: result.rows, affected: Number(result.numAffectedRows ?? result.rows.length) };
  }

  protected override translated(code: string | undefined, error: unknown): unknown {
    const isEnded = code === undefined && String(error).includes(': Transaction is already ');
    return isEnded ? this.ended(error) : super.translated(code, error);
  }
}

/** @param databases the databases that are possible */
function databaseOf(db: KyselyDatabase | KyselyTransaction, databases = DATABASES): ClientDatabase {
  // Dialects of other packages extend an adapter of Kysely.
  const named: string[] = [];
  let type = db.getExecutor().adapter.constructor as { readonly name: string } | null;
  for (; type !== null; type = Object.getPrototypeOf(type) as typeof type) named.push(type.name);
  const name = named.find((one) => DATABASES.some(({ names }) => names.includes(one)));
  return databaseNamed(CALLER, 'The database', databases, name);
}
