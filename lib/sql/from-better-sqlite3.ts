import { OptionChecks } from '../common/option-checks.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import type { SqliteHandle } from '../database/sql-driver.js';
import { type ClientSource, defineSqlClient } from './client-source.js';
import { SQLITE } from './databases/sqlite.js';
import { HandleClient } from './handle-client.js';
import { givenDriver } from './store-driver.js';

const CALLER = 'fromBetterSqlite3()';

/** The part of a `Database` of `better-sqlite3` that is used. */
export interface BetterSqliteDatabase extends SqliteHandle {
  readonly readonly: boolean;
  transaction(work: never): unknown;
}

/**
 * Works with `better-sqlite3`: on a second connection to the file, in WAL mode; for a database in memory, on the connection of the
 * application. A transaction of it ends before a promise resolves, so that events commit with your rows by the option
 * `tables` alone, and `send()` takes `tx: null`.
 *
 * @param db the application's `Database`, its injection token or a factory
 * @throws `ThornConfigurationError` here or at start-up, for a wrong argument
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromBetterSqlite3(db), tables: [orderEvents] });
 * ```
 */
export function fromBetterSqlite3(
  db: ClientSource<BetterSqliteDatabase>,
): SqlClientDefinition<never> {
  return defineSqlClient(CALLER, [db], (database) => {
    const driver = givenDriver(CALLER, SQLITE, database);
    const isWritable = database.open && !database.readonly;
    new OptionChecks(CALLER).assert('db', isWritable, 'must be open, and not read-only');
    return new HandleClient('better-sqlite3', { database: SQLITE, driver }, database);
  });
}
