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

/** Runs statements: each by itself, or all of them in one transaction. */
export interface SqlExecutor {
  readonly dialect: Dialect;
  run(statement: Statement): Promise<Result>;
}

/** A database, by whichever client the application has: the one way to it for all that is not the outbox. */
export abstract class SqlClient<Transaction = unknown> implements SqlExecutor {
  abstract readonly dialect: Dialect;

  /**
   * Names a table of the library in SQL, with schema and prefix.
   *
   * @throws `ThornConfigurationError` when the client does not know the table
   */
  abstract table(name: string): string;

  /** Runs a statement by itself. */
  abstract run(statement: Statement): Promise<Result>;

  /** Runs statements in a transaction of the application. */
  abstract join(transaction: Transaction): SqlExecutor;
}

/** Runs steps one after another. @returns a result for each */
export async function runSteps(
  run: (statement: Statement) => Promise<Result>,
  steps: readonly Step[],
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const step of steps) {
    const statement = typeof step === 'function' ? step(results) : step;
    results.push(statement === null ? NOTHING_DONE : await run(statement));
  }
  return results;
}
