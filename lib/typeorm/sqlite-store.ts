import { Logger } from '@nestjs/common';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { JoinedTransaction, Result, Step } from '../database/sql-client.js';
import { SqlStore } from '../database/sql-store.js';
import type { TypeOrmClient } from '../database/typeorm-client.js';
import { addOwnSubscribers } from './own-subscribers.js';
import { isInMemory, isLocked, type SqliteHandle, sqliteHandle } from './sqlite-handle.js';
import { SqliteStatements } from './sqlite-statements.js';

const FIRST_WAIT = 1;
const LONGEST_WAIT = 25;
const LONG_TRANSACTION = 100;
const LONG_WAIT = 10_000;
// An INSERT of many rows would open, write and remove a temporary file each time.
const OWN_CONNECTION = 'PRAGMA temp_store = MEMORY';
// A checkpoint is worth its fsync() when it carries many pages: these are 16 MB of the file ending in -wal.
const CHECKPOINTS = 'PRAGMA wal_autocheckpoint = 4000';

const OPEN_TRANSACTION =
  'a transaction of this application is open. Look for a query runner with startTransaction() and without ' +
  'commitTransaction() or rollbackTransaction()';
const OTHER_CONNECTION = 'another connection or process holds its lock';

/** The client of a data source. */
interface SqliteClient extends TypeOrmClient<DataSource> {
  /** The application's open transaction, when the caller was called from there. */
  readonly callersTransaction: JoinedTransaction | undefined;
}

interface Unit {
  readonly steps: readonly Step[];
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * SQLite, where one writer locks out all others, and a data source has one connection that everybody shares.
 *
 * A file gets a second connection, so that what we write does not join a transaction of the application and vanish with
 * its rollback. A database in memory has no second one: there our transactions wait for the application's.
 *
 * - Each of our transactions runs within one turn of the event loop: the application's connection can never find a lock
 *   of ours and wait for it, blocking the very loop that would release it.
 * - The lock of another connection is waited for with timers, never within SQLite, for the same reason.
 * - While a transaction of the application is open on its own connection we do not write at all, even where we could: if
 *   it has only read so far, its first write would fail (SQLITE_BUSY_SNAPSHOT).
 */
export class SqliteStore extends SqlStore {
  private readonly dataSource: DataSource;
  readonly #statements: SqliteStatements;
  readonly #waiting: Unit[] = [];
  #own: DataSource | null = null;
  #handle: SqliteHandle | null = null;
  #isClosed = false;
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

  constructor(override readonly client: SqliteClient) {
    super(client);
    this.dataSource = client.dataSource;
    this.#statements = new SqliteStatements(this.dataSource);
  }

  /** True while it has a connection beside the application's. */
  get hasOwnConnection(): boolean {
    return this.#own !== null;
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
    if (this.#own !== null) this.#handle.exec(`${OWN_CONNECTION}; ${CHECKPOINTS}`);
    addOwnSubscribers(this.dataSource, [this.#hooks]);
  }

  override execute(steps: readonly Step[]): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ steps, resolve, reject });
      this.#pump();
    });
  }

  override executeWithin(
    milliseconds: number,
    steps: readonly Step[],
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
  override get isHeldUp(): boolean {
    return this.isApplicationWriting && performance.now() - this.#openedAt > LONG_TRANSACTION;
  }

  override get writesApart(): boolean {
    return false;
  }

  override get concurrency(): number {
    return 1;
  }

  override get callersTransaction(): JoinedTransaction | undefined {
    return this.client.callersTransaction;
  }

  /** Afterwards, the application's own connection writes what it still sends, for as long as that is open. */
  override async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const at = this.dataSource.subscribers.indexOf(this.#hooks);
    if (at !== -1) this.dataSource.subscribers.splice(at, 1);
    this.#handle = null;
    this.#refuse();
    this.#isClosed = true;
    const own = this.#own;
    this.#own = null;
    await own?.destroy();
  }

  #refuse(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('The outbox is closed'));
  }

  #pump(): void {
    const handle = this.#isClosed ? sqliteHandle(this.dataSource) : this.#handle;
    if (handle === undefined) return this.#refuse();
    if (handle === null) return;
    while (this.#waiting.length > 0) {
      if (this.isApplicationWriting) return this.#later(OPEN_TRANSACTION);
      const unit = this.#waiting[0]!;
      try {
        const results = this.#statements.transaction(handle, unit.steps);
        this.#waiting.shift();
        this.#wait = FIRST_WAIT;
        this.#waitingSince = null;
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
