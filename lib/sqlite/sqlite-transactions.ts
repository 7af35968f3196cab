import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { AsyncVariable, followCallers } from '../common/async/async-variable.js';
import { wrapManagers } from './manager-methods.js';
import { ConnectionLock } from './connection-lock.js';
import { enterSelfContained, hasOtherSubscribers, selfContained } from './self-contained.js';
import { runControl } from './run-control.js';
import { type SqliteHandle, sqliteHandle } from './sqlite-handle.js';
import { TransactionEndedError } from './transaction-ended.error.js';

/**
 * True lets transactions on SQLite wait for each other: TypeORM gives all of them one connection. `timeout` is the longest
 * wait of a write in milliseconds, before it is refused with {@link TransactionTimeoutError}; default 10,000.
 */
export type SerializeTransactions = boolean | { readonly timeout: number };

const TIMEOUT = 10_000;

/** A query runner of better-sqlite3, with what TypeORM does not publish of it. */
type Runner = Omit<QueryRunner, 'isTransactionActive' | 'broadcaster'> & {
  isTransactionActive: boolean;
  transactionDepth: number;
  stmtCache?: unknown;
  readonly broadcaster: { broadcast(event: 'AfterTransactionRollback'): Promise<void> };
};

/** Some work that has the connection for itself: a save, a transaction, a savepoint, or one statement. */
interface Scope {
  readonly runner: Runner;
  readonly parent: Scope | undefined;
  /** Held by the savepoint, or the save, that is under way within. Undefined until there is one. */
  inner: ConnectionLock | undefined;
  isOpen: boolean;
}

/** A transaction that was begun with `startTransaction()`. */
interface OpenByHand extends Scope {
  readonly handle: SqliteHandle | undefined;
  /** Ends that callers are followed, of whom those who began it are to be found in it. */
  readonly unfollow: () => void;
}

type RunnerMethod = 'query' | 'startTransaction' | 'commitTransaction' | 'rollbackTransaction';
type AnyMethod = (...args: unknown[]) => Promise<unknown>;

/** Statements that change no row. */
const CHANGES_NOTHING =
  /^\s*(?:SELECT|PRAGMA|EXPLAIN|VALUES|WITH(?![^]*\b(?:INSERT|UPDATE|DELETE|REPLACE)\b))\b/i;

/** Statements that begin or end a transaction by hand. */
const BY_HAND = /^\s*(?:BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE)\b/i;

const installed = new WeakMap<DataSource, SqliteTransactions>();

/**
 * Keeps the transactions of a data source on SQLite apart. TypeORM has one connection and one query runner for all of
 * them: those that overlap become savepoints of each other, and a rollback takes what others wrote, or leaves what was
 * rolled back.
 *
 * - Each caller gets a query runner of its own, as on the other databases, and they take turns: a transaction, a save or
 *   a single write waits while the transaction of another caller is open. Reads wait for nothing.
 * - Within a transaction everything belongs to it, through whichever manager, as with TypeORM alone.
 * - SQLite ends a transaction by itself when the disk is full or fails, or memory runs out. TypeORM's flags do not say
 *   so: what is written in it from then on is refused, until it is rolled back.
 */
export class SqliteTransactions {
  readonly #logger = new Logger('Thorn');
  readonly #scopes = new AsyncVariable<Scope>();
  /** For callers of `startTransaction()`: there is no function to run in a scope. */
  readonly #begun = new AsyncVariable<Scope>();
  /** True when transactions take turns. */
  readonly isSerial: boolean;
  readonly #timeout: number;
  readonly #lock: ConnectionLock;
  /** Has the connection. */
  #holder: Scope | undefined;
  /** The one that was begun with `startTransaction()`; it ends with its transaction. */
  #openByHand: OpenByHand | undefined;
  /** Set while the connection is reserved. */
  #reserved: { onWanted: (() => void) | undefined } | undefined;
  /** Statements by hand that are under way: it takes some turns of the promises before SQLite runs one. */
  #statementsByHand = 0;
  readonly #ended = new WeakMap<Runner, TransactionEndedError>();
  #statements: { readonly handle: unknown; readonly cache: unknown } | undefined;
  /** Of a self-contained save, for the next one: nobody else has seen it. */
  #idle: Runner | undefined;
  readonly #restore: (() => void)[] = [];

  private constructor(
    private readonly dataSource: DataSource,
    serialize: SerializeTransactions,
  ) {
    this.isSerial = serialize !== false;
    this.#timeout = typeof serialize === 'object' ? serialize.timeout : TIMEOUT;
    this.#lock = this.#newLock();
  }

  /** Finds what was installed on a data source. */
  static of(dataSource: DataSource): SqliteTransactions | undefined {
    return installed.get(dataSource);
  }

  /**
   * Takes the transactions of the data source into its care; of other databases it does nothing.
   *
   * @param serialize default true
   */
  static install(dataSource: DataSource, serialize: SerializeTransactions = true): void {
    if (dataSource.options.type !== 'better-sqlite3' || installed.has(dataSource)) return;
    const transactions = new SqliteTransactions(dataSource, serialize);
    installed.set(dataSource, transactions);
    transactions.#install();
  }

  /** Leaves the data source as TypeORM made it. */
  static uninstall(dataSource: DataSource): void {
    const transactions = installed.get(dataSource);
    if (transactions === undefined) return;
    installed.delete(dataSource);
    for (const restore of transactions.#restore) restore();
  }

  /** The manager of the open transaction, when the caller was called from there. */
  get manager(): EntityManager | undefined {
    return this.#inTransaction ? this.#scope()?.runner.manager : undefined;
  }

  /** The manager of the open transaction, when the caller has begun it with `startTransaction()`. */
  get managerOfBegun(): EntityManager | undefined {
    const begun = this.#inTransaction ? this.#begun.get() : undefined;
    return begun === this.#holder ? begun?.runner.manager : undefined;
  }

  /** True while a transaction is open that TypeORM has not begun: a BEGIN by hand, which every caller is then in. */
  get isBegunByHand(): boolean {
    return this.#inTransaction && this.#holder?.runner.isTransactionActive !== true;
  }

  /**
   * Does some work on the connection as a statement of a query runner, which is in a transaction.
   *
   * @throws {@link TransactionEndedError} when the transaction is over
   */
  within<Result>(queryRunner: QueryRunner, work: (handle: SqliteHandle) => Result): Result {
    const runner = queryRunner as unknown as Runner;
    this.#refuseEnded(runner);
    try {
      return work(this.#handle!);
    } catch (error) {
      this.#noticeEnd(runner, error);
      throw error;
    }
  }

  /** Hands out the query runner that an earlier self-contained save has left. */
  takeIdleRunner(): QueryRunner | undefined {
    const idle = this.#idle;
    this.#idle = undefined;
    const { handle, cache } = this.#statements ?? {};
    // Its statements are those of the connection that it was made for.
    const isUsable = idle?.stmtCache !== undefined && idle.stmtCache === cache;
    return isUsable && handle === this.#handle ? (idle as unknown as QueryRunner) : undefined;
  }

  /** Does some work, and everything called within is part of the transaction that a query runner is in. */
  runIn<Result>(queryRunner: QueryRunner, work: () => Result): Result {
    const scope = this.#holder;
    return (scope?.runner as unknown) === queryRunner ? this.#scopes.run(scope!, work) : work();
  }

  /**
   * Keeps the application from writing and from beginning a transaction, so that another connection can write without
   * anything of the application meeting its lock. Reads go on.
   *
   * @param onWanted called when the application wants the connection; it may end this at once
   * @returns ends it; undefined, and nothing is done, when the connection is in use or transactions take no turns
   */
  reserve(onWanted: () => void): (() => void) | undefined {
    if (!this.isSerial || this.#statementsByHand > 0 || this.#inTransaction) return undefined;
    this.#noticeOver();
    if (!this.#lock.tryAcquire()) return undefined;
    this.#reserved = { onWanted };
    return () => {
      this.#reserved = undefined;
      this.#lock.release();
    };
  }

  #notifyWanted(): void {
    const onWanted = this.#reserved?.onWanted;
    if (onWanted === undefined) return;
    // It may take a while, so that many callers must not each ask for it.
    this.#reserved!.onWanted = undefined;
    onWanted();
  }

  get #handle(): SqliteHandle | undefined {
    return sqliteHandle(this.dataSource);
  }

  get #inTransaction(): boolean {
    return this.#handle?.inTransaction === true;
  }

  #install(): void {
    const { dataSource } = this;
    const driver = dataSource.driver as unknown as {
      queryRunner: Runner | undefined;
      createQueryRunner: (mode: string) => Runner;
    };
    const methods = this.#runnerMethods();
    if (driver.queryRunner !== undefined) Object.assign(driver.queryRunner, methods);
    const create = driver.createQueryRunner;
    const isOwn = Object.hasOwn(driver, 'createQueryRunner');
    driver.createQueryRunner = (mode) => {
      const scope = this.#scope();
      if (scope !== undefined) return scope.runner;
      if (this.isSerial) driver.queryRunner = undefined;
      const runner = create.call(driver, mode);
      if (this.isSerial) {
        driver.queryRunner = undefined;
        this.#shareStatements(runner);
      }
      return Object.assign(runner, methods);
    };
    this.#restore.push(() => {
      if (isOwn) driver.createQueryRunner = create;
      else Reflect.deleteProperty(driver, 'createQueryRunner');
    });
    if (!this.isSerial) return;
    this.#restore.push(
      wrapManagers(dataSource, (manager, call) =>
        this.#exclusively(manager.queryRunner as unknown as Runner | undefined, call),
      ),
    );
  }

  /** Prepared statements belong to the connection, not to one of its query runners. */
  #shareStatements(runner: Runner): void {
    if (runner.stmtCache === undefined) return;
    const handle = this.#handle;
    if (this.#statements === undefined || this.#statements.handle !== handle) {
      this.#statements = { handle, cache: runner.stmtCache };
    }
    runner.stmtCache = this.#statements.cache;
  }

  #runnerMethods(): Record<RunnerMethod, AnyMethod> {
    // oxlint-disable-next-line typescript/no-this-alias -- the methods have the query runner as their own `this`
    const transactions = this;
    const original = (runner: Runner, name: RunnerMethod): AnyMethod =>
      (Object.getPrototypeOf(runner) as Record<RunnerMethod, AnyMethod>)[name];
    return {
      query(this: Runner, ...args) {
        return transactions.#query(this, args[0] as string, () =>
          original(this, 'query').apply(this, args),
        );
      },
      startTransaction(this: Runner, ...args) {
        return transactions.#start(this, () =>
          original(this, 'startTransaction').apply(this, args),
        );
      },
      commitTransaction(this: Runner) {
        return transactions.#commit(this, () => original(this, 'commitTransaction').call(this));
      },
      rollbackTransaction(this: Runner) {
        return transactions.#rollback(this, () => original(this, 'rollbackTransaction').call(this));
      },
    };
  }

  /** The innermost scope that the caller is in, and that goes on. The caller may keep its query runner from then on. */
  #scope(): Scope | undefined {
    let scope = this.#scopes.get();
    while (scope?.isOpen === false) scope = scope.parent;
    if (scope !== undefined) enterSelfContained(scope.runner);
    return scope;
  }

  /** The data source gives it a manager when what is called within asks for a query runner. */
  #newRunner(): Runner {
    return this.dataSource.driver.createQueryRunner('master') as unknown as Runner;
  }

  #newLock(): ConnectionLock {
    return new ConnectionLock(this.#timeout);
  }

  #newScope(runner: Runner, parent?: Scope): Scope {
    return { runner, parent, inner: undefined, isOpen: true };
  }

  /** Runs some work when no other work is under way; everything called within is part of it. */
  async #exclusively<Result>(
    asked: Runner | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const current = this.#scope();
    const runner = asked ?? current?.runner ?? this.#newRunner();
    const outer = current?.runner === runner ? current : this.#holder;
    const parent = outer?.runner === runner ? outer : undefined;
    const lock = parent === undefined ? this.#lock : (parent.inner ??= this.#newLock());
    const waiting = parent === undefined ? this.#acquire() : lock.acquire();
    if (waiting !== undefined) {
      await waiting;
      if (parent?.isOpen === false) {
        lock.release();
        return this.#exclusively(asked, work);
      }
    }
    const scope = this.#newScope(runner, parent);
    if (parent === undefined) this.#holder = scope;
    try {
      const save = parent === undefined ? selfContained(runner) : undefined;
      const result = await (save === undefined ? this.#scopes.run(scope, work) : work());
      if (parent === undefined && this.#isLeftOpen(runner)) {
        throw new Error('A savepoint of the transaction was neither released nor rolled back');
      }
      const isUnseen = save?.isEntered === false && !hasOtherSubscribers(this.dataSource);
      if (isUnseen && save.hasCommitted) this.#idle = runner;
      return result;
    } finally {
      scope.isOpen = false;
      if (parent === undefined) {
        if (this.#isLeftOpen(runner)) await this.#rollBackByForce(runner);
        this.#holder = undefined;
      }
      lock.release();
    }
  }

  #isLeftOpen(runner: Runner): boolean {
    return runner.transactionDepth > 0 && this.#inTransaction;
  }

  /** No caller is left that could end the transaction, and it would hold up all others. */
  async #rollBackByForce(runner: Runner): Promise<void> {
    this.#logger.error(
      'A transaction on SQLite was left open by its own rollback, and has been rolled back now. ' +
        'Look for a subscriber that throws in beforeTransactionRollback, or savepoints that are not ended.',
    );
    this.#handle?.exec('ROLLBACK');
    runner.transactionDepth = 0;
    runner.isTransactionActive = false;
    await runner.broadcaster.broadcast('AfterTransactionRollback').catch(() => undefined);
  }

  // The four methods are called several times a save. Neither they nor what they call are `async` where nothing is waited
  // for, because each promise costs as much as the rest of them.

  #start(runner: Runner, original: () => Promise<unknown>): Promise<unknown> {
    const ended = runner.transactionDepth > 0 ? this.#endOf(runner) : undefined;
    if (ended !== undefined) return Promise.reject(ended);
    const isWithin = this.isSerial && this.#holder?.runner === runner;
    return isWithin ? this.#begin(runner, original) : this.#startByHand(runner, original);
  }

  #startByHand(runner: Runner, original: () => Promise<unknown>): Promise<unknown> {
    const scope = this.#newScope(runner);
    const unfollow = followCallers();
    if (this.isSerial) {
      return this.#begun.enterAfter(this.#beginByHand(scope, unfollow, original), scope);
    }
    // Without turns, nothing tells when it ends: callers are followed for good.
    if (!this.#inTransaction) this.#holder = scope;
    return this.#begun.enterAfter(this.#begin(runner, original), this.#holder ?? scope);
  }

  async #beginByHand(
    scope: Scope,
    unfollow: () => void,
    original: () => Promise<unknown>,
  ): Promise<unknown> {
    const { runner } = scope;
    try {
      const waiting = this.#acquire();
      if (waiting !== undefined) await waiting;
      this.#holder = scope;
      this.#openByHand = Object.assign(scope, { handle: this.#handle, unfollow });
      return await this.#begin(runner, original);
    } catch (error) {
      if (this.#openByHand !== scope) unfollow();
      else if (runner.transactionDepth === 0) this.#end();
      throw error;
    }
  }

  #begin(runner: Runner, original: () => Promise<unknown>): Promise<unknown> {
    const begun = original();
    // Before the caller, who comes later: else its rollback would end a transaction that is not its own.
    begun.catch(() => {
      if (runner.transactionDepth === 0) runner.isTransactionActive = false;
    });
    return begun;
  }

  #commit(runner: Runner, original: () => Promise<unknown>): Promise<unknown> {
    const ended = runner.transactionDepth > 0 ? this.#endOf(runner) : undefined;
    if (ended !== undefined) return Promise.reject(ended);
    return this.#openByHand?.runner === runner ? this.#thenLeave(runner, original) : original();
  }

  async #thenLeave(runner: Runner, original: () => Promise<unknown>): Promise<unknown> {
    try {
      return await original();
    } finally {
      this.#leave(runner);
    }
  }

  async #rollback(runner: Runner, original: () => Promise<unknown>): Promise<unknown> {
    if (runner.transactionDepth > 0 && !this.#ended.has(runner) && !this.#inTransaction) {
      this.#ended.set(runner, new TransactionEndedError(undefined));
    }
    if (!this.#ended.has(runner)) return this.#thenLeave(runner, original);
    // SQLite has rolled back everything; TypeORM's ROLLBACK would fail, and its flags would stay.
    runner.transactionDepth -= 1;
    if (runner.transactionDepth === 0) {
      runner.isTransactionActive = false;
      this.#ended.delete(runner);
    }
    await runner.broadcaster.broadcast('AfterTransactionRollback');
    return undefined;
  }

  #query(runner: Runner, sql: string, original: () => Promise<unknown>): Promise<unknown> {
    const ended = runner.transactionDepth > 0 ? this.#endOf(runner) : undefined;
    if (ended !== undefined) return Promise.reject(ended);
    if (sql === 'BEGIN TRANSACTION' || sql === 'COMMIT') {
      const save = this.#holder?.runner === runner ? selfContained(runner) : undefined;
      const handle = this.#handle;
      if (save?.isEntered === false && handle !== undefined) {
        save.hasCommitted ||= sql === 'COMMIT';
        return runControl(this.dataSource, handle, runner as unknown as QueryRunner, sql);
      }
    }
    if (!this.isSerial || this.#holder?.runner === runner) return this.#watched(runner, original);
    if (BY_HAND.test(sql)) return this.#byHand(runner, original);
    return CHANGES_NOTHING.test(sql)
      ? this.#watched(runner, original)
      : this.#queryAlone(runner, original);
  }

  /** BEGIN and COMMIT by hand wait for none but those for whom the connection is reserved. */
  #byHand(runner: Runner, original: () => Promise<unknown>): Promise<unknown> {
    this.#notifyWanted();
    if (this.#reserved !== undefined) return this.#queryAlone(runner, original);
    this.#statementsByHand++;
    const end = () => void this.#statementsByHand--;
    const done = this.#watched(runner, original);
    done.then(end, end);
    return done;
  }

  async #queryAlone(runner: Runner, original: () => Promise<unknown>): Promise<unknown> {
    const waiting = this.#acquire();
    if (waiting !== undefined) await waiting;
    const scope = this.#newScope(runner);
    this.#holder = scope;
    try {
      return await original();
    } finally {
      scope.isOpen = false;
      this.#holder = undefined;
      this.#lock.release();
    }
  }

  /** Believes the driver: a statement that fails may have ended the transaction. */
  #watched(runner: Runner, original: () => Promise<unknown>): Promise<unknown> {
    const { transactionDepth: depth } = runner;
    const done = original();
    // Before the caller, who comes later.
    if (depth > 0) done.catch((error: unknown) => this.#noticeEnd(runner, error));
    return done;
  }

  #noticeEnd(runner: Runner, error: unknown): void {
    if (this.#inTransaction) return;
    this.#ended.set(runner, new TransactionEndedError(error));
    this.#leave(runner);
  }

  #refuseEnded(runner: Runner): void {
    const ended = this.#endOf(runner);
    if (ended !== undefined) throw ended;
  }

  /** Says that the transaction of a runner is over, where it is. */
  #endOf(runner: Runner): TransactionEndedError | undefined {
    const ended = this.#ended.get(runner);
    if (ended !== undefined) return new TransactionEndedError(ended.cause);
    if (this.#inTransaction) return undefined;
    this.#ended.set(runner, new TransactionEndedError(undefined));
    this.#leave(runner);
    return new TransactionEndedError(undefined);
  }

  /** Lets others have the connection when a transaction that was begun by hand is over. */
  #leave(runner: Runner): void {
    if (this.#openByHand?.runner === runner && !this.#inTransaction) this.#end();
  }

  #end(): void {
    const open = this.#openByHand;
    if (open === undefined) return;
    open.isOpen = false;
    open.unfollow();
    this.#openByHand = undefined;
    this.#holder = undefined;
    this.#lock.release();
  }

  #acquire(): Promise<void> | undefined {
    this.#notifyWanted();
    this.#noticeOver();
    return this.#lock.acquire();
  }

  #noticeOver(): void {
    // A data source may be destroyed while a transaction is open, and a transaction be ended by hand.
    const open = this.#openByHand;
    const isOver = open !== undefined && open.runner.transactionDepth > 0 && !this.#inTransaction;
    if (isOver || open?.handle !== (open && this.#handle)) this.#end();
  }
}
