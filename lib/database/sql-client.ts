import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import type { Dialect, Result, Select, Statement, TransactionProof } from './dialect.js';
import type { SqlDriver } from './sql-driver.js';

export type { Result, Row } from './dialect.js';

/**
 * A statement, or a function that makes one from the results of the steps before it. A function may return null: no
 * statement runs then.
 */
export type Step = Statement | ((before: readonly Result[]) => Statement | null);

export const NOTHING_DONE: Result = { rows: [], affected: 0 };

/** Runs statements: each by itself, or all of them in one transaction. */
export interface SqlExecutor {
  readonly dialect: Dialect;
  run(statement: Statement): Promise<Result>;
}

/** Runs a statement that answers rows. */
export async function readRows<Answered>(
  executor: SqlExecutor,
  statement: Select<Answered>,
): Promise<readonly Answered[]> {
  const { rows } = await executor.run(statement);
  return rows as readonly unknown[] as readonly Answered[];
}

/** Runs statements on the library's tables, each by itself or some in one transaction. */
export interface SqlTables extends SqlExecutor {
  /** Runs statements in one transaction, all or none. @returns a result for each step */
  execute(steps: readonly Step[]): Promise<readonly Result[]>;
  /** Names a table of the library in SQL; see {@link SqlClient.table}. */
  table(name: string): string;
  /** Gives up the statements that are under way, before the client is closed. */
  close?(): Promise<void>;
}

/** The table of receivers. A receiver may use a database that has no other table of the library. */
export const RECEIVER_TABLE = 'thorn_received_messages';

/**
 * The table that triggers write to. It has no entity, because TypeORM has no type for a number of 64 bits that works on
 * all databases.
 */
export const CHANGES_TABLE = 'thorn_changes';

/** An open transaction of the application. {@link SqlClient.join} has checked it. */
export interface JoinedTransaction extends SqlExecutor {
  readonly client: SqlClient<never>;
  /**
   * The way in which a statement that writes proves that it runs in the transaction. Undefined where the client knows
   * when it runs a statement whether the transaction is open: then `run` refuses a statement outside of the transaction.
   */
  readonly proof?: TransactionProof | undefined;
  /**
   * Asks the database for the identity of the transaction. A caller that has to wait for more than microtasks between
   * {@link SqlClient.join} and the first statement calls this first, because the connection may be in another
   * transaction after the wait. Undefined where `run` recognizes the transaction by itself.
   *
   * @returns a function that asks again, and throws `TransactionEndedError` when the connection is in another
   * transaction
   */
  hold?(): Promise<() => Promise<void>>;
}

/** Waits for something outside of a transaction. The transaction may end meanwhile; then this throws. */
export async function heldWhile<Value>(
  transaction: JoinedTransaction | undefined,
  wait: Promise<Value>,
): Promise<Value> {
  const held = transaction?.hold?.();
  const [value, assertHeld] = await Promise.all([wait, held]);
  await assertHeld?.();
  return value;
}

/**
 * How the library learns of commits. `told`: the client reports each commit. `looked up`: the client reports none, and
 * the library looks for the rows.
 */
export type CommitNews = 'told' | 'looked up';

/**
 * A client of a database that the application has, such as an ORM. The library uses it to write messages in
 * transactions of the application. For all other work the library uses a `SqlStore` on the driver of the client.
 */
export abstract class SqlClient<Transaction = unknown> {
  /** The name of the client in errors and in the log at start-up, such as `TypeORM`. */
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

  /**
   * The greatest number of connections that the library opens for itself; undefined when it uses the connections of the
   * application.
   */
  get ownConnections(): number | undefined {
    return undefined;
  }

  /** The driver of the client; undefined when the client does not show it, or when it is closed. */
  abstract driver(): SqlDriver | undefined;

  /**
   * Joins a transaction of the application. Returns a promise where the database has to be asked whether the
   * transaction is open.
   *
   * @throws `TransactionRequiredError` for an object that is no transaction, `TransactionEndedError` after its end,
   * `OtherDatabaseError` for a transaction of another database
   */
  abstract join(transaction: Transaction): JoinedTransaction | Promise<JoinedTransaction>;

  /** Closes the connections that the library has opened for itself. Called after all other parts have stopped. */
  close?(): Promise<void>;

  /** Reports a statement that the library runs on the driver to the log of the client. Default: does nothing. */
  logStatement?(sql: string, parameters: readonly unknown[]): void;

  /** True when the client makes and changes tables by itself, in development. Default false. */
  get synchronizes(): boolean {
    return false;
  }
}

/**
 * The result of `fromPrisma()` and the other functions of `nestjs-thorn/sql`: makes the {@link SqlClient} from the providers
 * that Nest injects.
 */
export interface SqlClientDefinition<Transaction = unknown> {
  readonly inject: (InjectionToken | OptionalFactoryDependency)[];
  readonly useFactory: (...injected: unknown[]) => Promise<SqlClient<Transaction>>;
}

/** Runs steps one after another. @returns a result for each step */
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
