import { existsSync } from 'node:fs';
import { findDialect } from '../../database/dialect.js';
import type { Result, Row } from '../../database/sql-client.js';
import type { SqliteHandle } from '../../database/sql-driver.js';
import { runStatement } from '../../database/sqlite-handle.js';
import { type SqliteConnections, SqliteStore } from '../../database/sqlite-store.js';
import { requirePackages } from '../../errors/require-packages.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { ClientDatabase } from './client-database.js';

type SqliteDatabase = new (file: string, options: object) => SqliteHandle;

/** SQLite, with the driver `better-sqlite3`. */
export const SQLITE: ClientDatabase = {
  title: 'SQLite',
  names: ['sqlite', 'BaseSQLite', 'SqliteAdapter'],
  driver: 'better-sqlite3',
  dialect: findDialect('better-sqlite3'),
  url: /^(?:file:|:memory:$)/,
  hasSchemas: false,
  identity:
    "SELECT coalesce(nullif(file, ''), 'in memory') AS name, file AS identity FROM pragma_database_list WHERE name = 'main'",
  // A database in memory has one connection only, so an open transaction of the client is on the driver's connection.
  isSame(driver) {
    const { memory, inTransaction } = (driver as { readonly handle: SqliteHandle }).handle;
    return memory ? inTransaction : undefined;
  },
  answerOf,
  runOn: async (connection, statement) => runStatement(connection as SqliteHandle, statement),
  pool: 'a Database of `better-sqlite3`: new Database(file)',
  driverOf(given) {
    const handle = given as Partial<SqliteHandle>;
    const isHandle = typeof handle?.prepare === 'function' && typeof handle.name === 'string';
    return isHandle ? { kind: 'better-sqlite3', handle: handle as SqliteHandle } : undefined;
  },
  checkUrl(caller, url) {
    if (fileOf(url) !== '') return;
    throw new ThornConfigurationError(
      'THORN_DATABASE_UNSUPPORTED',
      `\`url\` of ${caller} names a database in memory, which no other connection sees: give a file, or a client that shows its connection.`,
      { place: caller },
    );
  },
  open(caller, url) {
    const file = fileOf(url);
    // SQLite would create an empty file.
    if (!existsSync(file)) {
      throw new ThornConfigurationError(
        'THORN_OPTION_INVALID',
        `\`url\` of ${caller} names a file that does not exist: ${file}. A relative path begins at the working directory. Let the client make the file first.`,
        { place: caller },
      );
    }
    const handle = new (loadDatabase(caller))(file, { timeout: 0 });
    const end = async () => void handle.close();
    return { driver: { kind: 'better-sqlite3', handle }, connections: 1, end };
  },
  createStore(client, driver, isOwn) {
    const { handle } = driver as { readonly handle: SqliteHandle };
    return new SqliteStore(client, isOwn ? alone(handle) : beside(handle));
  },
};

/**
 * The connection of the library. The connection of the application is unknown, and the application chooses the journal
 * mode.
 */
function alone(handle: SqliteHandle): SqliteConnections {
  return {
    application: undefined,
    leftOpen: '',
    open: () => ({ handle, close: () => undefined }),
  };
}

/** The connection of the application, and a second connection for the library, unless the database is in memory. */
function beside(handle: SqliteHandle): SqliteConnections {
  const open = () => {
    const own = new (handle.constructor as SqliteDatabase)(handle.name, { timeout: 0 });
    own.exec('PRAGMA journal_mode = WAL');
    return { handle: own, close: () => own.close() };
  };
  return {
    get application() {
      return handle.open ? handle : undefined;
    },
    leftOpen: 'a BEGIN without COMMIT or ROLLBACK',
    open: handle.memory ? undefined : open,
  };
}

/** Reads an answer: a list of rows, or the number of written rows. */
function answerOf(answer: unknown): Result {
  if (Array.isArray(answer)) return { rows: answer as readonly Row[], affected: answer.length };
  const { changes } = answer as { readonly changes: number };
  return { rows: [], affected: changes };
}

/** The path of the file in a URL; empty for a database in memory. */
function fileOf(url: string): string {
  const file = url
    .replace(/^file:/, '')
    .replace(/^\/\/(?=\/)/, '')
    .replace(/\?.*$/, '');
  return file === ':memory:' || url.includes('mode=memory') ? '' : file;
}

function loadDatabase(caller: string): SqliteDatabase {
  requirePackages(`${caller} with url`, {
    'better-sqlite3': () => require('better-sqlite3') as unknown,
  });
  return require('better-sqlite3') as SqliteDatabase;
}
