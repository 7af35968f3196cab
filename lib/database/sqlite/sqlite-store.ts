import { Logger } from '@nestjs/common';
import { LoopUtilization } from '../../common/loop-utilization.js';
import type { Statement } from '../dialect.js';
import type { Result, SqlClient, Step } from '../sql-client.js';
import { SqlStore } from '../sql-store.js';
import type { SqliteHandle, SqlDriver } from '../sql-driver.js';
import { isLocked, runTransaction, runStatement } from './sqlite-handle.js';
import { type PoolConnection, PoolConnections } from '../pool-connections.js';

const FIRST_WAIT = 1;
const LONGEST_WAIT = 25;
const LONG_TRANSACTION = 100;
const LONG_WAIT = 10_000;
// An INSERT of many rows would open, write and remove a temporary file each time.
const OWN_CONNECTION = 'PRAGMA temp_store = MEMORY';
const CHECKPOINT_AT = 'PRAGMA wal_autocheckpoint';
// The event loop waits for a checkpoint: about 2 ms for 200 pages of the file ending in -wal, about 10 ms for 2000.
const SMALL_CHECKPOINT = 200;
// Each checkpoint waits for two fsync(), which are worth it when it carries many pages.
const LARGE_CHECKPOINT = 2000;
/** The part of its time that the event loop is busy when checkpoints become large: other work waits for it anyway. */
const BUSY = 0.8;
/** Milliseconds between two looks at the event loop. */
const LOOK_EVERY = 100;

const OTHER_CONNECTION = 'another connection or process holds its lock';

/** A connection of the library's own. */
export interface OwnConnection {
  readonly handle: SqliteHandle;
  close(): unknown;
}

/** Is told of transactions on the application's connection. */
export interface TransactionListener {
  begins(): void;
  /** With a commit or a rollback: the lock is free for sure. */
  ended(): void;
}

/** The connections that a {@link SqliteStore} works with. */
export interface SqliteConnections {
  /** The application's own; undefined while it is closed, and where its client does not show it. */
  readonly application: SqliteHandle | undefined;
  /** Opens another one, which never waits for a lock. Left out in memory, where there is no other. */
  readonly open?: (() => OwnConnection | Promise<OwnConnection>) | undefined;
  /** The transaction to look for when one stays open, such as `BEGIN without COMMIT or ROLLBACK`. */
  readonly leftOpen: string;
  /** Listens to the application's transactions, where its client tells. @returns ends that */
  listen?(listener: TransactionListener): () => void;
}

interface Unit {
  readonly steps: readonly Step[];
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * SQLite, where one writer locks out all others, and an application has one connection that everybody shares.
 *
 * A file gets a second connection, so that what we write does not join a transaction of the application and vanish with
 * its rollback. A database in memory has no second one: there our transactions wait for the application's.
 *
 * - Each of our transactions runs within one turn of the event loop: the application's connection can never find a lock
 *   of ours and wait for it, blocking the very loop that would release it.
 * - The lock of another connection is waited for with timers, never within SQLite, for the same reason.
 * - While a transaction of the application is open on its own connection we do not write at all, even where we could: if
 *   it has only read so far, its first write would fail (SQLITE_BUSY_SNAPSHOT). Where that connection is unknown, this
 *   cannot be avoided.
 */
export class SqliteStore extends SqlStore {
  readonly #waiting: Unit[] = [];
  #own: OwnConnection | null = null;
  #opening: Promise<void> | null = null;
  #handle: SqliteHandle | null = null;
  #isClosed = false;
  #stopListening: (() => void) | undefined;
  #timer: NodeJS.Timeout | null = null;
  #wait = FIRST_WAIT;
  #openedAt: number | null = null;
  readonly #logger = new Logger('Thorn');
  #waitingSince: number | null = null;
  #isWaitTold = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(
    client: SqlClient<never>,
    private readonly connections: SqliteConnections,
    private readonly loop: Pick<LoopUtilization, 'sinceLast'> = new LoopUtilization(),
  ) {
    super(client);
  }

  /** The connections beside the application's; undefined for none. */
  get ownConnections(): number | undefined {
    return this.#own === null ? undefined : 1;
  }

  /** Opens the connection of its own; so does the first {@link execute}. */
  override open(): Promise<void> {
    return (this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    }));
  }

  override execute(steps: readonly Step[]): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => this.#add({ steps, resolve, reject }));
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
      this.#add(unit);
    });
  }

  /** True when the application's own connection is in a transaction. */
  get isApplicationWriting(): boolean {
    return this.connections.application?.inTransaction === true;
  }

  /**
   * True when the application's own connection has been in one transaction for so long that its end cannot be
   * predicted. Where that is unknown: when the lock has been waited for so long.
   */
  override get isHeldUp(): boolean {
    const isLongAgo = (time: number | null) =>
      time !== null && performance.now() - time > LONG_TRANSACTION;
    if (this.connections.application === undefined) return isLongAgo(this.#waitingSince);
    return this.isApplicationWriting && isLongAgo(this.#openedAt);
  }

  override get concurrency(): number {
    return 1;
  }

  /** Afterwards, the application's own connection writes what it still sends, for as long as that is open. */
  override async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#handle = null;
    this.#opening = null;
    this.#refuse(new Error('The outbox is closed'));
    this.#isClosed = true;
    const own = this.#own;
    this.#own = null;
    await own?.close();
  }

  async #open(): Promise<void> {
    this.#isClosed = false;
    const { connections } = this;
    if (connections.open !== undefined) {
      const own = await patiently(connections.open);
      own.handle.exec(`${OWN_CONNECTION}; ${CHECKPOINT_AT} = ${SMALL_CHECKPOINT}`);
      // It was closed meanwhile.
      if (this.#isClosed) return void (await own.close());
      this.#own = own;
    }
    this.#handle = this.#own?.handle ?? connections.application ?? null;
    if (this.#handle === null) throw new Error('The database is closed');
    this.#stopListening = connections.listen?.({
      begins: () => {
        if (!this.isApplicationWriting) this.#openedAt = performance.now();
      },
      ended: () => this.#pump(),
    });
    this.#pump();
  }

  #add(unit: Unit): void {
    this.#waiting.push(unit);
    if (this.#handle !== null || this.#isClosed) return this.#pump();
    this.open().catch((error: unknown) => this.#refuse(error));
  }

  #refuse(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #pump(): void {
    const handle = this.#isClosed ? this.connections.application : this.#handle;
    if (handle === undefined) return this.#refuse(new Error('The outbox is closed'));
    if (handle === null) return;
    while (this.#waiting.length > 0) {
      if (this.isApplicationWriting) {
        this.#openedAt ??= performance.now();
        return this.#later(
          `a transaction of this application is open. Look for ${this.connections.leftOpen}`,
        );
      }
      this.#openedAt = null;
      const unit = this.#waiting[0]!;
      try {
        const results = runTransaction(handle, unit.steps, this.#log);
        this.#waiting.shift();
        this.#wait = FIRST_WAIT;
        this.#waitingSince = null;
        this.#adaptCheckpoint();
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

  /** Makes checkpoints small while the event loop has time to spare, so that no request waits long for one. */
  #adaptCheckpoint(): void {
    const now = performance.now();
    if (this.#own === null || now - this.#lookedAt < LOOK_EVERY) return;
    this.#lookedAt = now;
    const isBusy = this.loop.sinceLast() > BUSY;
    this.#own.handle.exec(`${CHECKPOINT_AT} = ${isBusy ? LARGE_CHECKPOINT : SMALL_CHECKPOINT}`);
  }

  readonly #log = ({ sql, parameters }: Statement): void => {
    this.client.logStatement?.(sql, parameters);
  };

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
}

/** Repeats what finds the database locked. */
async function patiently<Answer>(task: () => Answer | Promise<Answer>): Promise<Answer> {
  const since = performance.now();
  for (let isTold = false; ;) {
    try {
      return await task();
    } catch (error) {
      if (!isLocked(error)) throw error;
      if (!isTold && performance.now() - since >= LONG_WAIT) {
        isTold = true;
        new Logger('Thorn').warn(
          `Thorn has waited for ${LONG_WAIT / 1000} s to open SQLite: ${OTHER_CONNECTION}. Look for a transaction that is ` +
            'left open, or PRAGMA locking_mode = EXCLUSIVE.',
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT));
    }
  }
}

/**
 * A connection of a driver: out of its pool, or the one that SQLite has.
 *
 * @param connections of whoever asks more than once: each of these listens to the pool
 */
export async function connectionOf(
  driver: SqlDriver | undefined,
  connections = new PoolConnections(),
): Promise<PoolConnection> {
  if (driver?.kind !== 'better-sqlite3') return connections.take(driver);
  const { handle } = driver;
  return {
    query: (sql, parameters) => patiently(() => runStatement(handle, { sql, parameters })),
    release: () => undefined,
    destroy: () => undefined,
  };
}
