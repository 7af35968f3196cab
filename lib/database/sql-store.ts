import type { Dialect, Row, Select, Statement } from './dialect.js';
import type { JoinedTransaction, Result, SqlClient, SqlTables, Step } from './sql-client.js';

/** The library's own transactions in a database, on the driver below the client of the application. */
export abstract class SqlStore implements SqlTables {
  constructor(readonly client: SqlClient<never>) {}

  get dialect(): Dialect {
    return this.client.dialect;
  }

  table(name: string): string {
    return this.client.table(name);
  }

  /** Before the first {@link execute}. */
  abstract open(): Promise<void>;

  /** Runs statements in one transaction, all or none. @returns a result for each step */
  abstract execute(steps: readonly Step[]): Promise<readonly Result[]>;

  /** Like {@link execute}. @returns null when the database was locked for so long; nothing was written then */
  executeWithin(_milliseconds: number, steps: readonly Step[]): Promise<readonly Result[] | null> {
    return this.execute(steps);
  }

  /** Transactions that can go on at once, for messages that are sent outside of the application's. */
  get concurrency(): number {
    return 4;
  }

  /** True when a transaction of the application has locked the database for so long that its end cannot be predicted. */
  get isHeldUp(): boolean {
    return false;
  }

  /** The open transaction that the caller was called from, where it locks out all others: one would wait for oneself. */
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

  /** Runs one SELECT that sees what others have not committed yet, where the database can: on MySQL and MariaDB. */
  peek(statement: Statement): Promise<Result> {
    return this.run(statement);
  }

  /** After the last {@link execute}; what still waits is rejected. */
  abstract close(): Promise<void>;
}
