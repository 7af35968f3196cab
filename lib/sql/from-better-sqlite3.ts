import { OptionChecks } from '../common/option-checks.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import type { SqliteHandle } from '../database/sql-driver.js';
import { type ClientSource, defineSqlClient } from './client-source.js';
import { SQLITE } from './databases/sqlite.js';
import { HandleClient } from './handle-client.js';
import { givenDriver } from './store-driver.js';

const CALLER = 'fromBetterSqlite3()';

/**
 * A `Database` of `better-sqlite3`. While a transaction is open, the database is also the object that stands for the
 * transaction.
 */
export interface BetterSqliteDatabase extends SqliteHandle {
  readonly readonly: boolean;
  transaction(work: never): unknown;
}

/**
 * Stores messages with `better-sqlite3`. All other work runs on a second connection to the file, in WAL mode; for a
 * database in memory, on the connection of the application.
 *
 * @param db the application's `Database`, its injection token or a factory
 * @throws `ThornConfigurationError` here or at start-up, for a wrong argument
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromBetterSqlite3(db) });
 *
 * db.transaction(() => dispatcher.sendSync('order.placed', { id }, { tx: db }))();
 * ```
 */
export function fromBetterSqlite3(
  db: ClientSource<BetterSqliteDatabase>,
): SqlClientDefinition<BetterSqliteDatabase> {
  return defineSqlClient(CALLER, [db], (database) => {
    const driver = givenDriver(CALLER, SQLITE, database);
    const isWritable = database.open && !database.readonly;
    new OptionChecks(CALLER).assert('db', isWritable, 'must be open, and not read-only');
    return new BetterSqliteClient({ database: SQLITE, driver }, database);
  });
}

class BetterSqliteClient extends HandleClient<BetterSqliteDatabase> {
  readonly name = 'better-sqlite3';
  protected readonly within = 'db.transaction(() => …)()';

  protected override check(db: BetterSqliteDatabase): undefined {
    if (typeof db?.inTransaction !== 'boolean') throw this.required();
  }

  protected override handleOf(db: BetterSqliteDatabase): SqliteHandle {
    return db;
  }

  protected override outside(): Error {
    return this.required();
  }
}
