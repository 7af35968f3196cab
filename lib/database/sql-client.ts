import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import type { Dialect, Result, Statement, TransactionProof } from './dialect.js';
import type { SqlDriver } from './sql-driver.js';

export type { Result, Row } from './dialect.js';

/** A statement, or one that depends on what the ones before it answered; null for none. */
export type Step = Statement | ((before: readonly Result[]) => Statement | null);

export const NOTHING_DONE: Result = { rows: [], affected: 0 };

/** Runs statements: each by itself, or all of them in one transaction. */
export interface SqlExecutor {
  readonly dialect: Dialect;
  run(statement: Statement): Promise<Result>;
}

/** Runs statements on the library's tables, each by itself or some in one transaction. */
export interface SqlTables extends SqlExecutor {
  /** Runs statements in one transaction, all or none. @returns a result for each step */
  execute(steps: readonly Step[]): Promise<readonly Result[]>;
  /** Names a table of the library in SQL; see {@link SqlClient.table}. */
  table(name: string): string;
  /** Gives up what is under way, before its client is closed. */
  close?(): Promise<void>;
}

/** The table of receivers, which work with databases that have no other table of the library. */
export const RECEIVER_TABLE = 'thorn_received_messages';

/** The table that triggers write to. It has no entity of TypeORM, which knows no number of 64 bits on all databases. */
export const CHANGES_TABLE = 'thorn_changes';

/** A transaction of the application. Whoever joined it has checked that it is one, and open. */
export interface JoinedTransaction extends SqlExecutor {
  readonly client: SqlClient<never>;
  /** Runs a statement before it returns. Only of clients that work without promises. */
  readonly runSync?: (statement: Statement) => Result;
  /**
   * By what statements that write prove that they run in the transaction. Undefined where `run` refuses all others, because
   * the client knows at that very moment whether the transaction is open.
   */
  readonly proof?: TransactionProof | undefined;
  /**
   * Asks the database which transaction it is. Called before anything but microtasks comes between {@link SqlClient.join}
   * and the first statement, as the connection may be in the transaction of somebody else by then. Undefined where
   * `run` knows the one from the other, or where nothing may come in between.
   *
   * @returns asks once more, and throws `TransactionEndedError` in another transaction
   */
  hold?(): Promise<() => Promise<void>>;
}

/** Waits for something outside of a transaction, which may end meanwhile: what comes after is refused then. */
export async function heldWhile<Value>(
  transaction: JoinedTransaction | undefined,
  wait: Promise<Value>,
): Promise<Value> {
  const held = transaction?.hold?.();
  const [value, assertHeld] = await Promise.all([wait, held]);
  await assertHeld?.();
  return value;
}

/** What is known of commits. `told`: the client tells of each. `looked up`: it tells nothing, and rows are looked for. */
export type CommitNews = 'told' | 'looked up';

/**
 * A client of a database that the application has, such as an ORM. The library writes messages by it, in transactions of
 * the application; everything else it does by a `SqlStore`, on the driver below.
 */
export abstract class SqlClient<Transaction = unknown> {
  /** For the line at start-up and for errors, such as `TypeORM`. */
  abstract readonly name: string;
  abstract readonly dialect: Dialect;
  abstract readonly commits: CommitNews;

  /**
   * Names a table of the library in SQL: quoted, with schema and prefix.
   *
   * @throws `ThornConfigurationError` when the client does not know the table
   */
  abstract table(name: string): string;

  /** The schema of the tables, where the client was given one. */
  get schema(): string | undefined {
    return undefined;
  }

  /** The most connections that were made for the library alone; undefined when it uses those of the application. */
  get ownConnections(): number | undefined {
    return undefined;
  }

  /** The driver below; undefined when the client shows none, or when it is closed. */
  abstract driver(): SqlDriver | undefined;

  /**
   * Joins a transaction of the application. A promise where the database has to be asked whether it is one.
   *
   * @throws `TransactionRequiredError` outside of any, `TransactionEndedError` after its end, `OtherDatabaseError` for one
   * of another database
   */
  abstract join(transaction: Transaction): JoinedTransaction | Promise<JoinedTransaction>;

  /** Ends the connections that were made for the library alone, once everything else has stopped. */
  close?(): Promise<void>;

  /** Tells the application's log of a statement that the library runs on the driver. Default: nobody is told. */
  logStatement?(sql: string, parameters: readonly unknown[]): void;

  /** True when the client makes and changes tables by itself, in development. Default false. */
  get synchronizes(): boolean {
    return false;
  }
}

/** What `fromPrisma()` and its like return: makes the {@link SqlClient}, with what Nest injects. */
export interface SqlClientDefinition<Transaction = unknown> {
  readonly inject: (InjectionToken | OptionalFactoryDependency)[];
  readonly useFactory: (...injected: unknown[]) => Promise<SqlClient<Transaction>>;
}

/** Runs steps one after another. @returns a result for each */
export async function runSteps(
  run: (statement: Statement) => Promise<Result>,
  steps: readonly Step[],
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const step of steps) results.push(await runStep(run, step, results));
  return results;
}

async function runStep(
  run: (statement: Statement) => Promise<Result>,
  step: Step,
  before: readonly Result[],
): Promise<Result> {
  for (;;) {
    const statement = typeof step === 'function' ? step(before) : step;
    if (statement === null) return NOTHING_DONE;
    const result = await run(statement);
    if (statement.proof?.accepts(result) !== false) return result;
  }
}

/** {@link runSteps} without promises. */
export function runStepsSync(
  run: (statement: Statement) => Result,
  steps: readonly Step[],
): readonly Result[] {
  const results: Result[] = [];
  for (const step of steps) {
    const statement = typeof step === 'function' ? step(results) : step;
    results.push(statement === null ? NOTHING_DONE : run(statement));
  }
  return results;
}
