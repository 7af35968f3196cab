import { Logger } from '@nestjs/common';
import type {
  DataSource,
  EntityManager,
  EntitySubscriberInterface,
  QueryRunner,
  TransactionStartEvent,
} from 'typeorm';
import { AsyncVariable } from '../../common/async-variable.js';
import { ConnectionLock } from './connection-lock.js';
import { ConnectionQueue, newScope, type Scope } from './connection-queue.js';
import { EndedTransactions } from './ended-transactions.js';
import { addOwnSubscribers } from '../own-subscribers.js';
import { dataSourceName } from '../errors.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { type Around, forgetTransaction, replaceMethods, WRITES } from '../replaced-methods.js';
import type { SqliteHandle } from '../../database/sql-driver.js';
import { isInTransaction, sqliteHandle, type SqliteRunner } from '../private-properties.js';
import type { SerializeTransactions } from '../../database/sqlite-handle.js';

const TIMEOUT = 10_000;

/** The methods of managers that read before they write, or write several times: each is a transaction where none is open. */
const TRANSACTIONAL = ['transaction', 'save', 'remove', 'softRemove', 'recover'] as const;

/** A call of a manager. */
interface Work<Result> {
  readonly call: () => Promise<Result>;
  /** True when it hands a manager to the application, which may keep it. */
  readonly isGiven: boolean;
}

// One map for the whole process: all users of a data source, even two applications, wait in one queue for its one
// connection.
const installed = new WeakMap<DataSource, SqliteTransactions>();

/**
 * Keeps the transactions of a data source on SQLite apart. TypeORM has one connection and one query runner for all of
 * them. Without this class, transactions that overlap become savepoints of each other: a rollback then removes the
 * writes of another transaction, or keeps writes that should be undone.
 *
 * - Each caller gets a query runner of its own, as on the other databases, and they run one after another: a
 *   transaction, a save or a single write waits while the transaction of another caller is open. Reads wait for
 *   nothing.
 * - Within a transaction everything belongs to it, through whichever manager, as with TypeORM alone.
 * - SQLite ends a transaction by itself when the disk is full or fails, or memory runs out. TypeORM's flags do not show
 *   this: further writes of the transaction are refused until it is rolled back.
 */
export class SqliteTransactions {
  readonly #logger = new Logger('Thorn');
  readonly #scopes = new AsyncVariable<Scope>();
  readonly #queue: ConnectionQueue;
  readonly #ended: EndedTransactions;
  readonly #restore: (() => void)[] = [];
  readonly #users = new Set<object>();
  readonly #hooks: EntitySubscriberInterface = {
    beforeTransactionStart: (event) => this.#beforeStart(event),
    beforeTransactionRollback: ({ queryRunner }) => {
      this.#rollingBack = queryRunner as unknown as SqliteRunner;
    },
    afterTransactionCommit: ({ queryRunner }) => this.#afterEnd(queryRunner),
    afterTransactionRollback: ({ queryRunner }) => this.#afterEnd(queryRunner),
  };
  /** True while a query builder begins to write. */
  #isBuilderWriting = false;
  /** The query runners of query builders that write: SQLite need not prepare their statements to tell that they do. */
  readonly #writers = new WeakSet<SqliteRunner>();
  /** The query runner whose next statement is TypeORM's ROLLBACK. */
  #rollingBack: SqliteRunner | undefined;
  /** Functions that make one write of the application, and hand no manager to it. */
  readonly #writes = new WeakSet<object>();
  /** Saves and single writes use it one after another, so that its statements stay prepared. */
  #ofSaves: { readonly runner: SqliteRunner; readonly handle: SqliteHandle } | undefined;
  /** True when transactions run one after another. */
  readonly isSerial: boolean;

  private constructor(
    private readonly dataSource: DataSource,
    serialize: SerializeTransactions,
  ) {
    this.isSerial = serialize !== false;
    const timeout = typeof serialize === 'object' ? serialize.timeout : TIMEOUT;
    this.#queue = new ConnectionQueue(dataSource, timeout);
    this.#ended = new EndedTransactions(dataSource, (runner) => this.#queue.endIfOver(runner));
  }

  /** Returns the instance that was installed on a data source. */
  static of(dataSource: DataSource): SqliteTransactions | undefined {
    return installed.get(dataSource);
  }

  /**
   * Takes the transactions of the data source into its care.
   *
   * @param user the application that uses the data source; a process may have several
   * @param serialize default true
   * @throws {@link ThornConfigurationError} when another application with the same data source has set another value:
   *   both share one connection
   */
  static install(
    dataSource: DataSource,
    user: object,
    serialize: SerializeTransactions = true,
  ): void {
    let transactions = installed.get(dataSource);
    if (transactions === undefined) {
      transactions = new SqliteTransactions(dataSource, serialize);
      installed.set(dataSource, transactions);
      transactions.#install();
    } else {
      transactions.#assertSame(serialize);
      transactions.#listen();
    }
    transactions.#users.add(user);
  }

  /** Leaves the data source as TypeORM made it, after its last user. */
  static uninstall(dataSource: DataSource, user: object): void {
    const transactions = installed.get(dataSource);
    if (transactions === undefined || !transactions.#users.delete(user)) return;
    if (transactions.#users.size > 0) return;
    installed.delete(dataSource);
    for (const restore of transactions.#restore) restore();
  }

  #assertSame(serialize: SerializeTransactions): void {
    if ((serialize !== false) === this.isSerial) return;
    const name = dataSourceName(this.dataSource);
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      `ThornModule: serializeTransactions differs from that of another application with the same data source ${name}, which has one connection for both. Give both the same value`,
      { option: 'serializeTransactions', dataSource: name },
    );
  }

  /** The manager of the open transaction, when the caller was called from there. */
  get manager(): EntityManager | undefined {
    return this.#inTransaction ? this.#scope()?.runner.manager : undefined;
  }

  /** Notes that a function for `transaction()` makes one write, as a save does. */
  noteWrite(write: object): void {
    this.#writes.add(write);
  }

  /**
   * Does some work on the connection as a statement of a query runner, which is in a transaction.
   *
   * @throws {@link TransactionEndedError} when the transaction is over
   */
  within<Result>(queryRunner: QueryRunner, work: (handle: SqliteHandle) => Result): Result {
    const runner = queryRunner as unknown as SqliteRunner;
    const ended = this.#ended.errorOf(runner);
    if (ended !== undefined) throw ended;
    try {
      return work(this.#handle!);
    } catch (error) {
      this.#ended.notice(runner, error);
      throw error;
    }
  }

  get #handle(): SqliteHandle | undefined {
    return sqliteHandle(this.dataSource);
  }

  get #inTransaction(): boolean {
    return isInTransaction(this.dataSource);
  }

  #install(): void {
    const { dataSource } = this;
    const { driver } = dataSource;
    // The query runner that TypeORM gives to all callers.
    const shared = dataSource.createQueryRunner();
    const Runner = shared.constructor as new (driver: object) => SqliteRunner;
    const createRunner: Around<unknown, SqliteRunner> = ({ proceed }) => {
      const ofScope = this.#scope()?.runner;
      if (ofScope !== undefined || !this.isSerial) return ofScope ?? proceed();
      const runner = new Runner(driver);
      if (this.#isBuilderWriting) this.#writers.add(runner);
      return runner;
    };
    const query: Around<SqliteRunner, Promise<unknown>> = ({ self, args, proceed }) =>
      this.#query(self, args, proceed);
    this.#listen();
    this.#restore.push(
      replaceMethods(dataSource, driver, ['createQueryRunner'], createRunner),
      replaceMethods(dataSource, shared, ['query'], query),
    );
    if (!this.isSerial) return;
    const within: Around<EntityManager, Promise<unknown>> = ({ self, name, args, proceed }) => {
      const asked = self.queryRunner as unknown as SqliteRunner | undefined;
      const isGiven = name === 'transaction' && !this.#writes.has(args.at(-1) as object);
      return this.#exclusively(asked, { call: proceed, isGiven });
    };
    this.#restore.push(replaceMethods(dataSource, dataSource.manager, TRANSACTIONAL, within));
    const execute: Around<unknown, Promise<unknown>> = ({ proceed }) => this.#executing(proceed);
    for (const name of WRITES) {
      const builder = dataSource.createQueryBuilder()[name]();
      this.#restore.push(replaceMethods(dataSource, builder, ['execute'], execute));
    }
  }

  /** A query builder takes its query runner before it waits for anything. */
  #executing(execute: () => Promise<unknown>): Promise<unknown> {
    this.#isBuilderWriting = true;
    try {
      return execute();
    } finally {
      this.#isBuilderWriting = false;
    }
  }

  /** TypeORM makes a new list of subscribers whenever a data source is initialised. */
  #listen(): void {
    const { dataSource } = this;
    if (dataSource.subscribers.includes(this.#hooks)) return;
    this.#restore.push(addOwnSubscribers(dataSource, [this.#hooks]));
  }

  /** The innermost scope that the caller is in, and that goes on. */
  #scope(): Scope | undefined {
    let scope = this.#scopes.get();
    while (scope?.isOpen === false) scope = scope.parent;
    return scope;
  }

  /**
   * Makes a query runner with a manager of its own, which the data source returns to callers inside the transaction.
   */
  #newRunner(): SqliteRunner {
    return this.dataSource.driver.createQueryRunner('master') as unknown as SqliteRunner;
  }

  #runnerOfSaves(): SqliteRunner {
    const handle = this.#handle!;
    const isUsable =
      this.#ofSaves?.handle === handle && this.#ofSaves.runner.transactionDepth === 0;
    if (!isUsable) this.#ofSaves = { runner: this.#newRunner(), handle };
    return this.#ofSaves!.runner;
  }

  /** Runs some work when no other work is running. Everything that is called inside belongs to it. */
  #exclusively<Result>(asked: SqliteRunner | undefined, work: Work<Result>): Promise<Result> {
    const current = this.#scope();
    // Work that a hook of a save has started, and that outlives the save, must not join the next save.
    const isOver = asked !== undefined && asked === this.#ofSaves?.runner && current === undefined;
    const runner = isOver ? undefined : (asked ?? current?.runner);
    if (runner === undefined) return this.#afterOthers(undefined, work);
    const outer = current?.runner === runner ? current : this.#queue.holder;
    return outer?.runner === runner
      ? this.#within(outer, asked, work)
      : this.#afterOthers(runner, work);
  }

  async #afterOthers<Result>(asked: SqliteRunner | undefined, work: Work<Result>): Promise<Result> {
    const waiting = this.#queue.acquire();
    if (waiting !== undefined) await waiting;
    const runner = asked ?? (work.isGiven ? this.#newRunner() : this.#runnerOfSaves());
    const scope = newScope(runner);
    this.#queue.begin(scope);
    try {
      const result = await this.#scopes.run(scope, work.call);
      if (this.#isLeftOpen(runner)) {
        throw new Error('A savepoint of the transaction was neither released nor rolled back');
      }
      return result;
    } finally {
      scope.isOpen = false;
      if (this.#isLeftOpen(runner)) await this.#rollBackByForce(runner);
      this.#queue.end(scope);
    }
  }

  /** Runs some work within a scope when no other work is under way there. */
  async #within<Result>(
    parent: Scope,
    asked: SqliteRunner | undefined,
    work: Work<Result>,
  ): Promise<Result> {
    const lock = (parent.inner ??= new ConnectionLock(this.#queue.timeout));
    const waiting = lock.acquire();
    if (waiting !== undefined) {
      await waiting;
      if (!parent.isOpen) {
        lock.release();
        return this.#exclusively(asked, work);
      }
    }
    const scope = newScope(parent.runner, parent);
    try {
      return await this.#scopes.run(scope, work.call);
    } finally {
      scope.isOpen = false;
      lock.release();
    }
  }

  #isLeftOpen(runner: SqliteRunner): boolean {
    return runner.transactionDepth > 0 && this.#inTransaction;
  }

  /** No caller is left that could end the transaction, and it would block all other callers. */
  async #rollBackByForce(runner: SqliteRunner): Promise<void> {
    this.#logger.error(
      'A transaction on SQLite was left open by its own rollback, and has been rolled back now. ' +
        'Look for a subscriber that throws in beforeTransactionRollback, or savepoints that are not ended.',
    );
    this.#handle?.exec('ROLLBACK');
    forgetTransaction(runner);
    await runner.broadcaster.broadcast('AfterTransactionRollback').catch(() => undefined);
  }

  /** Waits for the connection for a transaction that was not begun within one, as by `startTransaction()` of a query runner. */
  #beforeStart({ queryRunner }: TransactionStartEvent): Promise<void> | void {
    const runner = queryRunner as unknown as SqliteRunner;
    if (this.#queue.holder?.runner === runner) return;
    if (!this.isSerial) {
      // Without the queue, nothing tells when it ends.
      if (!this.#inTransaction) this.#queue.begin(newScope(runner));
      return;
    }
    const begin = (): void => this.#queue.beginByHand(newScope(runner));
    const waiting = this.#queue.acquire();
    if (waiting !== undefined) return waiting.then(begin);
    begin();
  }

  #afterEnd(queryRunner: QueryRunner): void {
    const runner = queryRunner as unknown as SqliteRunner;
    if (runner.transactionDepth === 0) this.#ended.forget(runner);
    this.#queue.endIfOver(runner);
  }

  // Called several times for each save. This method and the methods that it calls are `async` only where they wait,
  // because a promise costs as much as all the rest.
  #query(
    runner: SqliteRunner,
    args: readonly unknown[],
    proceed: () => Promise<unknown>,
  ): Promise<unknown> {
    const [sql, parameters] = args as [sql: string, parameters?: unknown];
    const isRollback = this.#rollingBack === runner && parameters === undefined;
    if (isRollback) this.#rollingBack = undefined;
    const ended = this.#ended.errorWithin(runner);
    // Another transaction may be open by now, which a ROLLBACK would end.
    if (ended !== undefined) return isRollback ? Promise.resolve(undefined) : Promise.reject(ended);
    if (!this.isSerial || this.#queue.holder?.runner === runner) {
      return this.#watch(runner, proceed);
    }
    const isRead = !this.#writers.has(runner) && this.#isReadOnly(sql);
    return isRead ? this.#watch(runner, proceed) : this.#queryAlone(runner, proceed);
  }

  /** Asks SQLite whether a statement leaves the database as it is, as COMMIT and SAVEPOINT do by themselves. */
  #isReadOnly(sql: string): boolean {
    try {
      const prepared = this.#handle?.prepare(sql) as { readonly readonly?: boolean } | undefined;
      return prepared?.readonly !== false;
    } catch {
      // TypeORM reports the mistake in its own error.
      return true;
    }
  }

  /** Runs a statement, and notices whether it ends its transaction. */
  #watch(runner: SqliteRunner, statement: () => Promise<unknown>): Promise<unknown> {
    const isInTransaction = runner.isTransactionActive;
    const done = statement();
    // Added before the caller adds its own handlers.
    if (isInTransaction) done.catch((error: unknown) => this.#failed(runner, error));
    return done;
  }

  #failed(runner: SqliteRunner, error: unknown): void {
    if (runner.transactionDepth > 0) this.#ended.notice(runner, error);
    else {
      // The BEGIN: else a rollback would end a transaction that is not its own.
      forgetTransaction(runner);
      this.#queue.endByHand(runner);
    }
  }

  async #queryAlone(runner: SqliteRunner, proceed: () => Promise<unknown>): Promise<unknown> {
    const waiting = this.#queue.acquire();
    if (waiting !== undefined) await waiting;
    const scope = newScope(runner);
    this.#queue.begin(scope);
    try {
      return await proceed();
    } finally {
      this.#queue.end(scope);
    }
  }
}
