import type { Dialect, Statement } from './dialect.js';

/** A row as the driver answers it. */
export type Row = Readonly<Record<string, unknown>>;

/** What one statement did. */
export interface Result {
  readonly rows: readonly Row[];
  /** Rows that were written or, where a statement answers rows, how many of them. */
  readonly affected: number;
}

/** The strategy's own way to a database, apart from the application's transactions. */
export abstract class OutboxDatabase {
  abstract readonly dialect: Dialect;

  /** Before the first {@link execute}. */
  abstract open(): Promise<void>;

  /** Runs the statements in one transaction, all or none. */
  abstract execute(statements: readonly Statement[]): Promise<readonly Result[]>;

  /** Runs one statement. */
  async run(statement: Statement): Promise<Result> {
    const [result] = await this.execute([statement]);
    return result!;
  }

  /** After the last {@link execute}; what still waits is rejected. */
  abstract close(): Promise<void>;
}
