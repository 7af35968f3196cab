import { isTableMissing } from '../database/database-errors.js';
import type { Statement } from '../database/dialect.js';
import { OtherDatabaseError, TransactionEndedError } from '../database/errors.js';
import type { JoinedTransaction, Result } from '../database/sql-client.js';
import type { SqliteHandle } from '../database/sql-driver.js';
import { runStatement } from '../database/sqlite-handle.js';
import { SQLITE } from './databases/sqlite.js';
import { DriverClient } from './driver-client.js';
import type { StoreDriver } from './store-driver.js';

/** A client that works without promises, on a connection of `better-sqlite3`. */
export abstract class HandleClient<Transaction extends object> extends DriverClient<Transaction> {
  /** The call that runs a transaction of the client, for errors. */
  protected abstract readonly within: string;

  /** @param store the store, with the connection that the client works on */
  constructor(
    store: StoreDriver,
    protected readonly handle: SqliteHandle,
  ) {
    super(store, handle);
  }

  protected get how(): string {
    return `${this.within}, by sendSync()`;
  }

  override join(transaction: Transaction): JoinedTransaction {
    this.check(transaction);
    const handle = this.handleOf(transaction);
    if (!handle.open) throw this.ended();
    if (!handle.inTransaction) throw this.outside();
    this.#assertSameDatabase(handle);
    const runSync = (statement: Statement) => this.#runChecked(handle, statement);
    return {
      client: this,
      dialect: this.dialect,
      run: async (statement) => runSync(statement),
      runSync,
    };
  }

  /** The connection of a transaction. */
  protected abstract handleOf(transaction: Transaction): SqliteHandle;

  /** The error for a connection that is in no transaction. */
  protected abstract outside(): Error;

  protected override ended(): Error {
    return new TransactionEndedError(
      `The transaction of ${this.name} has ended, as it does before a promise resolves. Use dispatcher.sendSync() within ${this.within}; processOnce() needs BEGIN and COMMIT by hand.`,
    );
  }

  protected override originOf(transaction: Transaction): object {
    return this.handleOf(transaction);
  }

  protected override async run(transaction: Transaction, statement: Statement): Promise<Result> {
    return this.#runChecked(this.handleOf(transaction), statement);
  }

  #assertSameDatabase(handle: SqliteHandle): void {
    if (this.same.has(handle)) return;
    const [own, other] = [this.handle, handle].map((one) => runStatement(one, IDENTITY).rows[0]!);
    if (this.handle.memory || own!['identity'] !== other!['identity']) {
      throw OtherDatabaseError.of(this.name, `the database ${String(other!['name'])}`);
    }
    this.same.add(handle);
  }

  #runChecked(handle: SqliteHandle, statement: Statement): Result {
    // The transaction may have ended since it was joined: code after an `await` runs after it, outside of any transaction.
    if (!handle.open || !handle.inTransaction) throw this.ended();
    try {
      return runStatement(handle, statement);
    } catch (error) {
      const { tables } = statement;
      throw tables !== undefined && isTableMissing(error)
        ? this.tableMissing(tables, 'sqlite', error)
        : error;
    }
  }
}

const IDENTITY: Statement = { sql: SQLITE.identity, parameters: [] };
