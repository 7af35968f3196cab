import type { Dialect, Statement } from './dialect.js';

/** A row as the driver answers it. */
export type Row = Readonly<Record<string, unknown>>;

/** The result of one statement. */
export interface Result {
  readonly rows: readonly Row[];
  /** Rows that were written or, where a statement answers rows, how many of them. */
  readonly affected: number;
}

/** A statement, or one that depends on what the ones before it answered; null for none. */
export type Step = Statement | ((before: readonly Result[]) => Statement | null);

/** The result of a step without statements. */
export const NOTHING_DONE: Result = { rows: [], affected: 0 };

/** The strategy's own way to a database, apart from the application's transactions. */
export abstract class OutboxDatabase {
  abstract readonly dialect: Dialect;

  /** Before the first {@link execute}. */
  abstract open(): Promise<void>;

  /** Runs statements in one transaction, all or none. @returns a result for each step */
  abstract execute(steps: readonly Step[]): Promise<readonly Result[]>;

  /** Runs one statement. */
  async run(statement: Statement): Promise<Result> {
    const [result] = await this.execute([statement]);
    return result!;
  }

  /** After the last {@link execute}; what still waits is rejected. */
  abstract close(): Promise<void>;
}
