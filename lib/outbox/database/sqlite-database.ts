import { Logger } from '@nestjs/common';
import { DataSource, QueryFailedError } from 'typeorm';
import type { DataSourceOptions, EntityManager } from 'typeorm';
import {
  addOwnSubscribers,
  isInMemory,
  isLocked,
  type SqliteHandle,
  sqliteHandle,
  SqliteTransactions,
} from '../../sqlite/index.js';
import { findDialect, type Dialect, type Statement } from './dialect.js';
import { OutboxDatabase, type Result, type Step } from './outbox-database.js';
import type { SqliteStaging } from './sqlite-staging.js';
import { NOTHING_STAGED, SqliteStatements } from './sqlite-statements.js';
import { SqliteThread } from './sqlite-thread.js';

const FIRST_WAIT = 1;
const LONGEST_WAIT = 25;
const LONG_TRANSACTION = 100;
const LONG_WAIT = 10_000;
// An INSERT of many rows would open, write and remove a temporary file each time.
const OWN_CONNECTION = 'PRAGMA temp_store = MEMORY';
// A checkpoint is worth its fsync() when it carries many pages: these are 16 MB of the file ending in -wal. With a thread
// for checkpoints, a COMMIT makes one where the file would grow for ever, because there is always more to carry.
const PAGES_OF_CHECKPOINT = { alone: 4000, withThread: 16_000 };
const checkpointEvery = (pages: number) => `PRAGMA wal_autocheckpoint = ${pages}`;
// Fewer are written sooner than they are handed over.
const PARAMETERS_FOR_THREAD = 100;
// Milliseconds that the application's own connection waits for a set within a turn of the event loop. It would be blocked
// for longer if it wrote the set itself, and a busy application waits for long until its next turn.
const BLOCK_FOR = 20;
// Milliseconds for which the event loop writes the sets after the application has had to wait for one: the thread takes
// longer than the event loop, while the other processor is busy as well.
const KEEP_OFF_FOR = 250;

const OPEN_TRANSACTION =
  'a transaction of this application is open. Look for a query runner with startTransaction() and without ' +
  'commitTransaction() or rollbackTransaction()';
const OTHER_CONNECTION = 'another connection or process holds its lock';

interface Unit {
  readonly steps: readonly Step[];
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (error: unknown) => void;
  /** The steps again, when the thread may run them. */
  readonly set?: readonly Statement[];
  readonly isStaging?: boolean;
}

/**
 * SQLite, where one writer locks out all others, and a data source has one connection that everybody shares.
 *
 * A file gets a second connection, so that what we write does not join a transaction of the application and vanish with
 * its rollback. A database in memory has no second one: there our transactions wait for the application's.
 *
 * - Each of our transactions runs within one turn of the event loop: the application's connection can never find a lock
 *   of ours and wait for it, blocking the very loop that would release it.
 * - Large sets run on a thread, so that the event loop does not. Meanwhile our other transactions wait, and the
 *   application's own connection is reserved ({@link SqliteTransactions.reserve}), for the same reason. Where its transactions
 *   take no turns, or one of them is under way, sets run as all others.
 * - The lock of another connection is waited for with timers, never within SQLite, for the same reason.
 * - While a transaction of the application is open on its own connection we do not write at all, even where we could: if
 *   it has only read so far, its first write would fail (SQLITE_BUSY_SNAPSHOT).
 */
export class SqliteDatabase extends OutboxDatabase {
  readonly dialect: Dialect;
  readonly #statements: SqliteStatements;
  readonly #waiting: Unit[] = [];
  #own: DataSource | null = null;
  #handle: SqliteHandle | null = null;
  #isClosed = false;
  #thread: SqliteThread | null = null;
  /** The set that the thread runs. */
  #inThread: Promise<void> | null = null;
  #wantedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #wait = FIRST_WAIT;
  #openedAt = 0;
  readonly #logger = new Logger('Thorn');
  #waitingSince: number | null = null;
  #isWaitTold = false;
  // TypeORM awaits these: the moment after a commit is the one in which the lock is free for sure.
  readonly #hooks = {
    beforeTransactionStart: () => {
      if (!this.isApplicationWriting) this.#openedAt = performance.now();
    },
    afterTransactionCommit: () => this.#pump(),
    afterTransactionRollback: () => this.#pump(),
  };

  /** @param staging where messages are written at first. Default: nowhere */
  constructor(
    private readonly dataSource: DataSource,
    staging: SqliteStaging | null = null,
  ) {
    super();
    this.#statements = new SqliteStatements(dataSource, staging);
    this.dialect = findDialect(dataSource);
  }

  /** The statements that move what is staged. */
  override get moves(): readonly Statement[] {
    return this.#statements.staging?.moves ?? [];
  }

  override async open(): Promise<void> {
    if (this.#handle !== null) return;
    this.#isClosed = false;
    if (!isInMemory(this.dataSource.options)) {
      this.#own = new DataSource({
        ...(this.dataSource.options as DataSourceOptions & { type: 'better-sqlite3' }),
        entities: [],
        subscribers: [],
        migrations: [],
        synchronize: false,
        dropSchema: false,
        migrationsRun: false,
        enableWAL: true,
        timeout: 0,
      });
      await this.#patiently(() => this.#own!.initialize());
    }
    this.#handle = sqliteHandle(this.#own ?? this.dataSource)!;
    const { creation = '' } = this.#statements.staging ?? {};
    await this.#patiently(async () => this.#handle?.exec(creation));
    if (this.#own !== null) {
      this.#handle.exec(OWN_CONNECTION);
      const setUp = `${OWN_CONNECTION}; ${checkpointEvery(PAGES_OF_CHECKPOINT.withThread)}`;
      this.#thread = SqliteThread.of(this.#own, setUp, () => this.#goOnAlone());
      if (this.#thread === null) this.#goOnAlone();
      else this.#handle.exec(checkpointEvery(PAGES_OF_CHECKPOINT.withThread));
    }
    addOwnSubscribers(this.dataSource, [this.#hooks]);
  }

  override execute(steps: readonly Step[]): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ steps, resolve, reject });
      this.#pump();
    });
  }

  override write(steps: readonly Step[]): Promise<void> {
    const set = steps.filter((step) => typeof step !== 'function');
    const size = set.reduce((sum, { parameters }) => sum + parameters.length, 0);
    const isForThread = size >= PARAMETERS_FOR_THREAD && set.length === steps.length;
    return new Promise((resolve, reject) => {
      const unit = { steps, resolve: () => resolve(), reject };
      this.#waiting.push(isForThread ? { ...unit, set } : unit);
      this.#pump();
    });
  }

  /**
   * Like {@link execute}, for who must not wait for ever.
   *
   * @param isStaging true when the steps only stage messages: those staged before need not be moved
   * @returns null when the database was locked for so many milliseconds; nothing was written then
   */
  executeWithin(
    milliseconds: number,
    steps: readonly Step[],
    isStaging = false,
  ): Promise<readonly Result[] | null> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const at = this.#waiting.indexOf(unit);
        if (at === -1) return;
        this.#waiting.splice(at, 1);
        resolve(null);
      }, milliseconds);
      const unit: Unit = {
        steps,
        isStaging,
        resolve: (results) => {
          clearTimeout(timer);
          resolve(results);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiting.push(unit);
      this.#pump();
    });
  }

  /** True when the application's own connection is in a transaction. */
  get isApplicationWriting(): boolean {
    return sqliteHandle(this.dataSource)?.inTransaction === true;
  }

  /**
   * True when the application's own connection has been in one transaction for so long that its end cannot be
   * predicted.
   */
  get isHeldUp(): boolean {
    return this.isApplicationWriting && performance.now() - this.#openedAt > LONG_TRANSACTION;
  }

  /** True when the thread writes what is large, where the application is not writing. */
  override get writesApart(): boolean {
    if (this.#thread === null || this.#isKeptOff) return false;
    return SqliteTransactions.of(this.dataSource)?.isSerial === true;
  }

  /** The manager of the application's open transaction, when the caller has begun it, or was called from there. */
  get callersTransaction(): EntityManager | undefined {
    const transactions = SqliteTransactions.of(this.dataSource);
    return transactions?.manager ?? transactions?.managerOfBegun;
  }

  /** Without TypeORM in between, which takes several times as long as the statement. */
  override runWithin(manager: EntityManager, statement: Statement): Promise<Result> | Result {
    const runner = manager.queryRunner;
    const transactions = SqliteTransactions.of(this.dataSource);
    if (transactions === undefined || runner?.isTransactionActive !== true) {
      return this.#runByTypeorm(manager, statement);
    }
    const { sql, parameters } = statement;
    return transactions.within(runner, (handle) => {
      try {
        return this.#statements.run(handle, statement, runner);
      } catch (error) {
        this.dataSource.logger.logQueryError(error as Error, sql, parameters as unknown[], runner);
        throw new QueryFailedError(sql, parameters as unknown[], error as Error);
      }
    });
  }

  async #runByTypeorm(manager: EntityManager, statement: Statement): Promise<Result> {
    try {
      return await super.runWithin(manager, statement);
    } catch (error) {
      const { staging } = this.#statements;
      if (staging?.isMissing(error) !== true) throw error;
      await manager.query(staging.creation);
      return super.runWithin(manager, statement);
    }
  }

  /** Afterwards, the application's own connection writes what it still sends, for as long as that is open. */
  override async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const at = this.dataSource.subscribers.indexOf(this.#hooks);
    if (at !== -1) this.dataSource.subscribers.splice(at, 1);
    this.#handle = null;
    await this.#inThread;
    this.#refuse();
    this.#isClosed = true;
    const [thread, own] = [this.#thread, this.#own];
    this.#thread = this.#own = null;
    await thread?.close();
    await own?.destroy();
  }

  /** Without the thread. */
  #goOnAlone(): void {
    this.#thread = null;
    this.#handle?.exec(checkpointEvery(PAGES_OF_CHECKPOINT.alone));
  }

  #refuse(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('The outbox is closed'));
  }

  #pump(): void {
    if (this.#inThread !== null) this.#thread?.collect(0);
    const handle = this.#isClosed ? sqliteHandle(this.dataSource) : this.#handle;
    if (handle === undefined) return this.#refuse();
    if (handle === null) return;
    while (this.#waiting.length > 0 && this.#inThread === null) {
      if (this.isApplicationWriting) return this.#later(OPEN_TRANSACTION);
      const unit = this.#waiting[0]!;
      try {
        const { moves, isAll } =
          unit.isStaging === true ? NOTHING_STAGED : this.#statements.moves(handle);
        if (!isAll) {
          this.#statements.transaction(handle, moves, []);
          return this.#again(0);
        }
        if (unit.set !== undefined && this.#handOver(unit, [...moves, ...unit.set])) return;
        const results = this.#statements.transaction(handle, moves, unit.steps);
        this.#waiting.shift();
        this.#written(results.reduce((sum, { affected }) => sum + affected, 0));
        unit.resolve(results);
      } catch (error) {
        if (isLocked(error)) return this.#later(OTHER_CONNECTION);
        this.#waiting.shift();
        unit.reject(error);
      }
    }
    if (this.#waiting.length > 0) return;
    this.#waitingSince = null;
    this.#isWaitTold = false;
  }

  #written(rows: number): void {
    this.#wait = FIRST_WAIT;
    this.#waitingSince = null;
    this.#thread?.written(rows);
  }

  get #isKeptOff(): boolean {
    return performance.now() - this.#wantedAt < KEEP_OFF_FOR;
  }

  /** Lets the thread run a set, while the application keeps off. @returns false when one of them is busy */
  #handOver(unit: Unit, set: readonly Statement[]): boolean {
    const thread = this.#thread;
    if (this.#isKeptOff || thread?.isFree !== true) return false;
    const release = SqliteTransactions.of(this.dataSource)?.reserve(() => {
      this.#wantedAt = performance.now();
      thread.collect(BLOCK_FOR);
    });
    if (release === undefined) return false;
    try {
      for (const statement of set) this.#statements.log(statement);
    } catch (error) {
      release();
      throw error;
    }
    this.#waiting.shift();
    this.#inThread = new Promise((resolve) => {
      thread.write(set, (result) => {
        this.#inThread = null;
        release();
        this.#threadAnswered(unit, result);
        resolve();
      });
    });
    return true;
  }

  #threadAnswered({ steps, resolve, reject }: Unit, result: number | Error | null): void {
    if (typeof result === 'number') {
      this.#written(result);
      resolve([]);
    } else if (result === null || isLocked(result)) {
      // Tried again without the thread.
      this.#waiting.unshift({ steps, resolve, reject });
    } else reject(result);
    // What has called for it goes on first: it may be the application.
    queueMicrotask(() => this.#pump());
  }

  #later(holder: string): void {
    this.#waitingSince ??= performance.now();
    if (!this.#isWaitTold && performance.now() - this.#waitingSince >= LONG_WAIT) {
      this.#isWaitTold = true;
      this.#logger.warn(
        `The outbox has waited for ${LONG_WAIT / 1000} s to write to SQLite: ${holder}. Until it ends, send() outside ` +
          'of it is refused, and what was delivered is not written down.',
      );
    }
    if (this.#timer !== null) return;
    this.#again(this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  #again(wait: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#pump();
    }, wait);
  }

  async #patiently(task: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await task();
        return;
      } catch (error) {
        if (!isLocked(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT));
      }
    }
  }
}
