import { OptionChecks } from '../common/option-checks.js';
import type { PgPool, SqlDriver, SqliteHandle } from '../database/sql-driver.js';
import { ThornConfigurationError } from '../errors/index.js';
import type { SqlClient, SqlClientDefinition } from '../database/sql-client.js';
import { type ClientSource, defineSqlClient } from './client-source.js';
import type { ClientDatabase, OwnDriver } from './databases/client-database.js';
import { differingDatabase } from './databases/databases.js';
import type { AnyMysqlPool } from './databases/mysql.js';

/** The schema of the tables. */
export interface TableOptions {
  /** The PostgreSQL schema of the tables. Default: the schema of the connection's `search_path`. */
  readonly schema?: string;
}

/** A pool that the library opens for itself. */
export interface OwnConnections {
  /**
   * The URL of the client's database, such as `postgres://user:password@host/name`. Undefined is refused, so that a
   * missing environment variable is noticed.
   */
  readonly url: string | undefined;
  /** The greatest number of connections, at least 2. Default 5. */
  readonly connections?: number;
  readonly pool?: never;
}

/** A pool of `pg`, or one of `mysql2` or `mysql2/promise`. */
export type AnyPool = PgPool | AnyMysqlPool;

/** A pool that the application has opened. */
export interface GivenPool {
  /** A pool for the client's database, its injection token or a factory. The application ends the pool. */
  readonly pool: ClientSource<AnyPool>;
  readonly url?: never;
  readonly connections?: never;
}

/** The connection of the client itself, on SQLite. */
export interface GivenDriver {
  /** The `Database` of `better-sqlite3` that the client works on, its injection token or a factory. */
  readonly driver: ClientSource<SqliteHandle>;
  readonly pool?: never;
  readonly url?: never;
  readonly connections?: never;
}

/** The pool of the client itself. */
export interface ClientsPool {
  readonly pool?: never;
  readonly url?: never;
  readonly connections?: never;
}

/** The connections for the library's own work, which is outside of the application's transactions. */
export type StoreOptions = TableOptions & (OwnConnections | GivenPool);

/** The connections for the library's own work, and the schema of the tables. */
export interface StoreDriver {
  readonly database: ClientDatabase;
  readonly driver: SqlDriver;
  /** Set when the library has made the connections, so that the library ends them. */
  readonly own?: OwnDriver;
  readonly schema?: string | undefined;
}

/** Options of a client that may show a pool of its own. */
export type AnyStoreOptions = StoreOptions | (TableOptions & ClientsPool);

const DEFAULT_CONNECTIONS = 5;

/** A client of the application that a {@link DriverClient} is made of. */
export interface DriverClientSource<Client extends object> {
  /** The function that users call, for errors. */
  readonly caller: string;
  /** The databases that the client may work with. */
  readonly databases: readonly ClientDatabase[];
  readonly client: ClientSource<Client>;
  readonly options: AnyStoreOptions;
  /** The connection of the client, where an option names it. */
  readonly driver?: ClientSource<SqliteHandle> | undefined;
  /** False where the client shows no pool, so that `url`, `pool` or `driver` must be given. Default: known at start-up. */
  readonly hasPool?: false;
}

/**
 * Makes the connections for the library's own work.
 *
 * @param shown the pool or connection that the client shows, which is used when the options name none
 * @throws `ThornConfigurationError` when there is neither
 */
export type Connect = (database: ClientDatabase, shown?: object) => StoreDriver;

/**
 * Checks the options at once. At start-up, resolves the client and makes what `make` returns.
 *
 * @throws `ThornConfigurationError` that names the wrong option
 */
export function defineDriverClient<Client extends object, Transaction>(
  { caller, databases, client, options, driver, hasPool }: DriverClientSource<Client>,
  make: (
    client: Client,
    connect: Connect,
  ) => SqlClient<Transaction> | Promise<SqlClient<Transaction>>,
): SqlClientDefinition<Transaction> {
  if (driver === undefined) checkStoreOptions(caller, databases, options, hasPool);
  return defineSqlClient<[Client, AnyPool | SqliteHandle | undefined], Transaction>(
    caller,
    [client, driver ?? options.pool],
    (found, given) =>
      make(found, (database, shown) => storeDriver(caller, database, options, given ?? shown)),
  );
}

/** @param hasPool false when the client shows no pool. Default: this is known at start-up */
function checkStoreOptions(
  caller: string,
  databases: readonly ClientDatabase[],
  options: AnyStoreOptions,
  hasPool?: false,
): void {
  const check = new OptionChecks(caller);
  check.names(options, ['schema', 'url', 'connections', 'pool']);
  const { schema, url, connections, pool } = options;
  check.assert(
    'schema',
    schema === undefined || (typeof schema === 'string' && schema !== ''),
    'must be the name of a schema of PostgreSQL',
  );
  check.integer('connections', connections, { min: 2 });
  if (pool !== undefined) {
    check.assert('url', url === undefined, 'and `pool` are both given: take one');
    return check.assert('connections', connections === undefined, 'is a setting of `pool` itself');
  }
  if (hasPool === false && !('url' in options)) throw connectionsMissing(caller);
  const isGiven = typeof url === 'string' && url !== '';
  check.assert('url', isGiven || !('url' in options), 'must be the address of the database');
  if (url === undefined) return;
  const database = databases.find((one) => one.url.test(url));
  if (database === undefined) {
    const rule =
      'must begin with postgres:, mysql:, mariadb: or file:, as the database of the client';
    throw new ThornConfigurationError(
      'THORN_DATABASE_UNSUPPORTED',
      `\`url\` of ${caller} ${rule}.`,
      { place: caller },
    );
  }
  database.checkUrl?.(caller, url);
}

/** The connections that the options name, or new connections of the library. */
function storeDriver(
  caller: string,
  database: ClientDatabase,
  { url, connections, schema }: AnyStoreOptions,
  given: object | undefined,
): StoreDriver {
  if (connections !== undefined && database.createStore !== undefined) {
    const rule = `is for pools, and Thorn works on one connection to ${database.title}: leave it out`;
    throw new OptionChecks(caller).error('connections', rule);
  }
  if (schema !== undefined && !database.hasSchemas) {
    const rule = `works with PostgreSQL alone, not with ${database.title}: leave it out`;
    throw new OptionChecks(caller).error('schema', rule);
  }
  if (given !== undefined)
    return { database, driver: givenDriver(caller, database, given), schema };
  if (url === undefined) throw connectionsMissing(caller);
  if (!database.url.test(url)) {
    throw differingDatabase(
      caller,
      '`url`',
      database,
      "Give the address of the client's database.",
    );
  }
  const own = database.open(caller, url, connections ?? DEFAULT_CONNECTIONS);
  return { database, driver: own.driver, own, schema };
}

/** The pool that a client shows, when it is a pool of the driver and the options name no other connections. */
export function shownPool(
  database: ClientDatabase,
  options: AnyStoreOptions,
  shown: object | undefined,
): object | undefined {
  if (options.pool !== undefined || 'url' in options || shown === undefined) return undefined;
  return database.driverOf(shown) === undefined ? undefined : shown;
}

function connectionsMissing(caller: string): ThornConfigurationError {
  const rule = 'or `url` must be given, as the client shows no pool of `pg` or `mysql2`';
  return new OptionChecks(caller).error('pool', rule);
}

/** @throws `ThornConfigurationError` for an object that is no pool, such as a client of one connection */
export function givenDriver(caller: string, database: ClientDatabase, given: object): SqlDriver {
  const driver = database.driverOf(given);
  if (driver !== undefined) return driver;
  throw new ThornConfigurationError(
    'THORN_OPTION_INVALID',
    `${caller} expects ${database.pool}. It was given another object.`,
    { place: caller },
  );
}
