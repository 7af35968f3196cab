import type { Dialect, Row, Select, Statement } from './dialect.js';
import type { JoinedTransaction, Result, SqlClient, SqlTables, Step } from './sql-client.js';

/** Runs the library's own transactions in a database, on the driver that the client of the application uses. */
export abstract class SqlStore implements SqlTables {
  constructor(readonly client: SqlClient<never>) {}

  get dialect(): Dialect {
    return this.client.dialect;
  }

  table(name: string): string {
    return this.client.table(name);
  }

  /** Opens the store. Called before the first {@link execute}. */
  abstract open(): Promise<void>;

  /** Runs statements in one transaction, all or none. @returns a result for each step */
  abstract execute(steps: readonly Step[]): Promise<readonly Result[]>;

  /**
   * Like {@link execute}, but gives up after a time.
   * @returns null when the database was locked for that time; nothing was written then
   */
  executeWithin(_milliseconds: number, steps: readonly Step[]): Promise<readonly Result[] | null> {
    return this.execute(steps);
  }

  /**
   * The number of transactions that can run at once. Messages that are sent outside of the application's transactions
   * use them.
   */
  get concurrency(): number {
    return 4;
  }

  /** True when a transaction of the application has locked the database for so long that its end cannot be predicted. */
  get isHeldUp(): boolean {
    return false;
  }

  /**
   * The open transaction that the caller runs in, on databases where it locks out all other transactions: another
   * transaction would wait for it, and so for the caller itself.
   */
  get callersTransaction(): JoinedTransaction | undefined {
    return undefined;
  }

  run<Answered = Row>(statement: Select<Answered>): Promise<Result<Answered>>;
  run(statement: Statement): Promise<Result>;
  async run(statement: Statement): Promise<Result> {
    const [result] = await this.execute([statement]);
    return result!;
  }

  /** Runs one SELECT that locks nothing, in as few queries as the database needs. */
  poll(statement: Statement): Promise<Result> {
    return this.run(statement);
  }

  /**
   * Runs one SELECT that also sees rows of transactions that are not committed yet, where the database can: on MySQL
   * and MariaDB.
   */
  peek<Answered = Row>(statement: Select<Answered>): Promise<Result<Answered>> {
    return this.run(statement);
  }

  /** Closes the store, after the last {@link execute}. Statements that still wait are rejected. */
  abstract close(): Promise<void>;
}
