import type { DataSource } from 'typeorm';
import { ConnectionLock } from './connection-lock.js';
import type { SqliteHandle } from '../../database/sql-driver.js';
import { isInTransaction, sqliteHandle, type SqliteRunner } from '../private-properties.js';

/** Some work that has the connection for itself: a save, a transaction, a savepoint, or one statement. */
export interface Scope {
  readonly runner: SqliteRunner;
  readonly parent: Scope | undefined;
  /** Held by the savepoint, or the save, that is under way within. Undefined until there is one. */
  inner: ConnectionLock | undefined;
  isOpen: boolean;
}

/** Begins a {@link Scope}. */
export function newScope(runner: SqliteRunner, parent?: Scope): Scope {
  return { runner, parent, inner: undefined, isOpen: true };
}

/** A transaction that was begun with `startTransaction()`. */
interface OpenByHand {
  readonly scope: Scope;
  readonly handle: SqliteHandle | undefined;
}

/** The holder of a data source's one connection, and the callers that wait for it. */
export class ConnectionQueue {
  readonly #lock: ConnectionLock;
  #holder: Scope | undefined;
  /** Ends with its transaction, and not with a function. */
  #openByHand: OpenByHand | undefined;

  /** @param timeout the longest wait for the connection in milliseconds */
  constructor(
    private readonly dataSource: DataSource,
    readonly timeout: number,
  ) {
    this.#lock = new ConnectionLock(timeout);
  }

  get holder(): Scope | undefined {
    return this.#holder;
  }

  /**
   * Waits for the connection.
   *
   * @returns undefined when it is the caller's at once
   * @throws {@link TransactionTimeoutError} (rejects)
   */
  acquire(): Promise<void> | undefined {
    this.#noticeOver();
    return this.#lock.acquire();
  }

  /** Notes the use of the connection. */
  begin(scope: Scope): void {
    this.#holder = scope;
  }

  /** Gives the connection to the next one. */
  end(scope: Scope): void {
    scope.isOpen = false;
    this.#holder = undefined;
    this.#lock.release();
  }

  /** {@link begin} for `startTransaction()`. */
  beginByHand(scope: Scope): void {
    this.#holder = scope;
    this.#openByHand = { scope, handle: sqliteHandle(this.dataSource) };
  }

  /** Ends what this query runner has begun with `startTransaction()`, if SQLite has. */
  endIfOver(runner: SqliteRunner): void {
    if (!isInTransaction(this.dataSource)) this.endByHand(runner);
  }

  /** {@link end} after {@link beginByHand}; does nothing when that was found to be over before. */
  endByHand(runner: SqliteRunner): void {
    const scope = this.#openByHand?.scope;
    if (scope?.runner !== runner) return;
    this.#openByHand = undefined;
    this.end(scope);
  }

  /** A data source may be destroyed while a transaction is open, and a transaction be ended by hand. */
  #noticeOver(): void {
    const open = this.#openByHand;
    if (open === undefined) return;
    const isOver = open.scope.runner.transactionDepth > 0 && !isInTransaction(this.dataSource);
    if (isOver || open.handle !== sqliteHandle(this.dataSource)) this.endByHand(open.scope.runner);
  }
}
