import { OptionChecks } from '../common/option-checks.js';
import type { PgPool } from '../database/sql-driver.js';
import { missingPackages } from '../errors/require-packages.js';
import { ThornConfigurationError } from '../errors/index.js';
import type { ClientSource } from './client-source.js';

/** Where the tables are. */
export interface TableOptions {
  /** The PostgreSQL schema of the tables. Default: that of the connection's `search_path`. */
  readonly schema?: string;
}

/** A pool of the library's own. */
export interface OwnConnections {
  /** The client's own database, such as `postgres://user:password@host/name`. An error when undefined. */
  readonly url: string | undefined;
  /** The most connections, at least 2. Default 5. */
  readonly connections?: number;
  readonly pool?: never;
}

/** A pool of the application's. */
export interface GivenPool {
  /** A `Pool` of `pg` for the client's own database, its injection token or a factory. The application ends it. */
  readonly pool: ClientSource<PgPool>;
  readonly url?: never;
  readonly connections?: never;
}

/** The pool that the client itself has. */
export interface ClientsPool {
  readonly pool?: never;
  readonly url?: never;
  readonly connections?: never;
}

/** The connections of the library's own work, which is in no transaction of the application. */
export type StoreOptions = TableOptions & (OwnConnections | GivenPool);

/** The part of a `Pool` of `pg` that is used where the library has made one. */
interface OwnPool extends PgPool {
  readonly options: { readonly max: number };
  on(event: 'acquire' | 'error', listener: (subject: never) => void): unknown;
  end(): Promise<void>;
}

/** A pool for the library's own work, and where the tables are. */
export interface StorePool {
  readonly pool: PgPool;
  /** Set where the library has made the pool, and ends it. */
  readonly own?: OwnPool;
  readonly schema?: string | undefined;
}

const POSTGRES_URL = /^postgres(?:ql)?:/;
const DEFAULT_CONNECTIONS = 5;

/** @throws `ThornConfigurationError` for wrong options, or those of another database than PostgreSQL */
export function checkStoreOptions(
  place: string,
  options: StoreOptions | (TableOptions & ClientsPool),
): void {
  const check = new OptionChecks(place);
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
  const isGiven = typeof url === 'string' && url !== '';
  check.assert('url', isGiven || !('url' in options), 'must be the address of the database');
  if (url !== undefined && !POSTGRES_URL.test(url)) throw unsupportedDatabase(place, '`url`');
}

/** The pool that was given, or one of the library's own; undefined without both. */
export function storePool(
  place: string,
  { url, connections, schema }: Parameters<typeof checkStoreOptions>[1],
  pool: PgPool | undefined,
): StorePool | undefined {
  if (pool !== undefined) return { pool: checkedPool(place, pool), schema };
  if (url === undefined) return undefined;
  const own = makePool(place, url, connections);
  return { pool: own, own, schema };
}

/** @throws `ThornConfigurationError` for what is no pool, such as a client of one connection */
export function checkedPool(
  place: string,
  pool: PgPool & { readonly totalCount?: number },
): PgPool {
  if (typeof pool?.totalCount === 'number') return pool;
  throw new ThornConfigurationError(
    'THORN_OPTION_INVALID',
    `${place} takes a \`Pool\` of \`pg\`, and was given something else: new Pool({ connectionString }).`,
    { place },
  );
}

/** @param what is of another database */
export function unsupportedDatabase(place: string, what: string): ThornConfigurationError {
  return new ThornConfigurationError(
    'THORN_DATABASE_UNSUPPORTED',
    `${what} of ${place} is not one of PostgreSQL, where alone this client is supported. Use TypeORM on MariaDB and SQLite.`,
    { place },
  );
}

/** @throws `ThornConfigurationError` `THORN_PACKAGE_MISSING` without `pg` */
function makePool(place: string, url: string, connections = DEFAULT_CONNECTIONS): OwnPool {
  const { Pool } = loadPg(place);
  const pool = new Pool({
    connectionString: url,
    max: connections,
    application_name: 'thorn',
  });
  // Of a connection that lies idle. Without a listener Node.js would end the process; the pool drops the connection.
  pool.on('error', () => undefined);
  return pool;
}

function loadPg(place: string): { readonly Pool: new (options: object) => OwnPool } {
  try {
    return require('pg') as ReturnType<typeof loadPg>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw missingPackages(`${place} with url`, ['pg']);
  }
}
