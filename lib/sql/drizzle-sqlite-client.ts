import type { SqliteHandle } from '../database/sql-driver.js';
import { SQLITE } from './databases/databases.js';
import { drizzleDatabase, type DrizzleInternals, kindsOf } from './databases/drizzle-objects.js';
import { HandleClient } from './handle-client.js';

/** The transaction of `db.transaction((tx) => …)` on `better-sqlite3`, for `dispatcher.sendSync()`. */
export interface DrizzleSqliteTransaction {
  run(query: never): unknown;
  rollback(): never;
  /** Only the database has this property, and the database is in no transaction. */
  readonly $client?: never;
}

/** The client on `better-sqlite3`, whose transactions end before a promise resolves. */
export class DrizzleSqliteClient extends HandleClient<DrizzleSqliteTransaction> {
  readonly name = 'Drizzle';
  protected readonly within = 'db.transaction((tx) => …)';

  protected override check(tx: DrizzleSqliteTransaction): undefined {
    if (!kindsOf(tx).some((kind) => kind.endsWith('Transaction'))) throw this.required();
    drizzleDatabase(tx, [SQLITE]);
  }

  protected override handleOf(tx: DrizzleSqliteTransaction): SqliteHandle {
    return (tx as DrizzleInternals).session!.client!;
  }

  protected override outside(): Error {
    return this.ended();
  }
}
