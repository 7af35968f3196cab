import type { DataSource } from 'typeorm';
import { ConnectionLock } from './connection-lock.js';
import { isInTransaction, type SqliteHandle, sqliteHandle } from './sqlite-handle.js';
import type { SqliteRunner } from './sqlite-runner.js';

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
  readonly onEnd: () => void;
}

/** Whose turn it is on the one connection of a data source. */
export class ConnectionTurns {
  readonly #lock: ConnectionLock;
  #holder: Scope | undefined;
  /** Ends with its transaction, and not with a function. */
  #openByHand: OpenByHand | undefined;
  /** Set while the connection is reserved. */
  #reserved: { onWanted: (() => void) | undefined } | undefined;
  /** Statements by hand that are under way: it takes some turns of the promises before SQLite runs one. */
  #statementsByHand = 0;

  /** @param timeout the longest wait for a turn in milliseconds */
  constructor(
    private readonly dataSource: DataSource,
    readonly timeout: number,
  ) {
    this.#lock = new ConnectionLock(timeout);
  }

  /** Has the connection. */
  get holder(): Scope | undefined {
    return this.#holder;
  }

  /**
   * Waits for a turn.
   *
   * @returns undefined when it is the caller's at once
   * @throws {@link TransactionTimeoutError} (rejects)
   */
  acquire(): Promise<void> | undefined {
    this.#notifyWanted();
    this.#noticeOver();
    return this.#lock.acquire();
  }

  /** Says what the turn is for. */
  begin(scope: Scope): void {
    this.#holder = scope;
  }

  /** Gives the turn to the next one. */
  end(scope: Scope): void {
    scope.isOpen = false;
    this.#holder = undefined;
    this.#lock.release();
  }

  /** {@link begin} for `startTransaction()`. @param onEnd called at its end */
  beginByHand(scope: Scope, onEnd: () => void): void {
    this.#holder = scope;
    this.#openByHand = { scope, handle: sqliteHandle(this.dataSource), onEnd };
  }

  /** True while a transaction is open that this query runner has begun with `startTransaction()`. */
  isBegunBy(runner: SqliteRunner): boolean {
    return this.#openByHand?.scope.runner === runner;
  }

  /** Ends what this query runner has begun with `startTransaction()`, if SQLite has. */
  endIfOver(runner: SqliteRunner): void {
    const isOver = this.isBegunBy(runner) && !isInTransaction(this.dataSource);
    if (isOver) this.endByHand(this.#openByHand!.scope);
  }

  /** {@link end} after {@link beginByHand}; does nothing when that was found to be over before. */
  endByHand(scope: Scope): void {
    const open = this.#openByHand;
    if (open?.scope !== scope) return;
    this.#openByHand = undefined;
    open.onEnd();
    this.end(scope);
  }

  /** True while {@link reserve} keeps the application from writing. */
  get isReserved(): boolean {
    return this.#reserved !== undefined;
  }

  /**
   * Takes the connection if nobody has it, and no transaction is open that was begun by hand.
   *
   * @param onWanted called once, when somebody wants the connection
   * @returns gives it back; undefined when it is in use
   */
  reserve(onWanted: () => void): (() => void) | undefined {
    if (this.#statementsByHand > 0 || isInTransaction(this.dataSource)) return undefined;
    this.#noticeOver();
    if (!this.#lock.tryAcquire()) return undefined;
    this.#reserved = { onWanted };
    return () => {
      this.#reserved = undefined;
      this.#lock.release();
    };
  }

  /** Runs a BEGIN or COMMIT by hand: it waits for nobody but those for whom the connection is reserved. */
  byHand(run: () => Promise<unknown>, runInTurn: () => Promise<unknown>): Promise<unknown> {
    this.#notifyWanted();
    if (this.isReserved) return runInTurn();
    this.#statementsByHand++;
    const end = () => void this.#statementsByHand--;
    const done = run();
    done.then(end, end);
    return done;
  }

  #notifyWanted(): void {
    const onWanted = this.#reserved?.onWanted;
    if (onWanted === undefined) return;
    // It may take a while, so that many callers must not each ask for it.
    this.#reserved!.onWanted = undefined;
    onWanted();
  }

  /** A data source may be destroyed while a transaction is open, and a transaction be ended by hand. */
  #noticeOver(): void {
    const open = this.#openByHand;
    if (open === undefined) return;
    const isOver = open.scope.runner.transactionDepth > 0 && !isInTransaction(this.dataSource);
    if (isOver || open.handle !== sqliteHandle(this.dataSource)) this.endByHand(open.scope);
  }
}
