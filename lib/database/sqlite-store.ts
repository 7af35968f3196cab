import { Logger } from '@nestjs/common';
import { LoopUtilization } from '../common/loop-utilization.js';
import type { Statement } from './dialect.js';
import type { Result, SqlClient, Step } from './sql-client.js';
import { SqlStore } from './sql-store.js';
import type { SqliteHandle, SqlDriver } from './sql-driver.js';
import { isLocked, runTransaction, runStatement } from './sqlite-handle.js';
import { type PoolConnection, PoolConnections } from './pool-connections.js';

const FIRST_WAIT = 1;
const LONGEST_WAIT = 25;
const LONG_TRANSACTION = 100;
const LONG_WAIT = 10_000;
// Without this, each INSERT of many rows would open, write and remove a temporary file.
const OWN_CONNECTION = 'PRAGMA temp_store = MEMORY';
const CHECKPOINT_AT = 'PRAGMA wal_autocheckpoint';
// A checkpoint blocks the event loop: about 2 ms for 200 pages of the file that ends in -wal, about 10 ms for 2000 pages.
const SMALL_CHECKPOINT = 200;
// Each checkpoint waits for two calls of fsync(), so that fewer checkpoints with more pages cost less in all.
const LARGE_CHECKPOINT = 2000;
/** Checkpoints become large when the event loop is busy for this part of its time. Other work has to wait anyway then. */
const BUSY = 0.8;
/** Milliseconds between two looks at the event loop. */
const LOOK_EVERY = 100;

const OTHER_CONNECTION = 'another connection or process holds its lock';

/** A connection that the library has opened for itself. */
export interface OwnConnection {
  readonly handle: SqliteHandle;
  close(): unknown;
}

/** Gets the events of transactions on the application's connection. */
export interface TransactionListener {
  begins(): void;
  /** A transaction has ended with a commit or a rollback, so the lock is free. */
  ended(): void;
}

/** The connections that a {@link SqliteStore} works with. */
export interface SqliteConnections {
  /** The connection of the application; undefined while it is closed, and where its client does not show it. */
  readonly application: SqliteHandle | undefined;
  /**
   * Opens a second connection, which never waits for a lock. Left out for a database in memory, which has one
   * connection only.
   */
  readonly open?: (() => OwnConnection | Promise<OwnConnection>) | undefined;
  /** The likely mistake when a transaction stays open, for the error: such as `BEGIN without COMMIT or ROLLBACK`. */
  readonly leftOpen: string;
  /** Listens to the application's transactions, where its client reports them. @returns a function that ends the listening */
  listen?(listener: TransactionListener): () => void;
}

interface Unit {
  readonly steps: readonly Step[];
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The store on SQLite, where one writer locks out all others, and where all code of an application shares one
 * connection.
 *
 * For a file the library opens a second connection, so that its rows do not join a transaction of the application and
 * vanish with its rollback. A database in memory has no second connection: there the library's transactions wait for
 * the application's transactions.
 *
 * - Each transaction of the library runs within one turn of the event loop. So the application's connection never waits
 *   for a lock of the library, which would block the event loop that has to release the lock.
 * - The library waits for the lock of another connection with timers and never within SQLite, for the same reason.
 * - While a transaction of the application is open on its connection, the library does not write, even where it could:
 *   when the transaction has only read so far, a write of the library would make its first write fail
 *   (SQLITE_BUSY_SNAPSHOT). Where the application's connection is unknown, this failure cannot be avoided.
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

  /** The number of connections that the library has opened; undefined for none. */
  get ownConnections(): number | undefined {
    return this.#own === null ? undefined : 1;
  }

  /** Opens the library's connection. The first {@link execute} opens it as well. */
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

  /** True when the connection of the application is in a transaction. */
  get isApplicationWriting(): boolean {
    return this.connections.application?.inTransaction === true;
  }

  /**
   * True when the connection of the application has been in one transaction for so long that its end cannot be
   * predicted. Where that connection is unknown: when the library has waited for the lock for so long.
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

  /**
   * Closes the library's connection. Messages that the application still sends are then written on the application's
   * connection, as long as it is open.
   */
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
      // The store was closed while the connection was being opened.
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
        unit.resolve(results);
      } catch (error) {
        if (isLocked(error)) return this.#later(OTHER_CONNECTION);
        this.#waiting.shift();
        unit.reject(error);
        continue;
      }
      this.#adaptCheckpoint();
    }
    if (this.#waiting.length > 0) return;
    this.#waitingSince = null;
    this.#isWaitTold = false;
  }

  /**
   * Makes checkpoints small while the event loop has time to spare, so that no request of the application waits long
   * for a checkpoint.
   */
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

/** Repeats a task that finds the database locked. */
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

/** Takes a connection of a driver: from its pool, or the single connection of SQLite. */
export async function connectionOf(driver: SqlDriver | undefined): Promise<PoolConnection> {
  if (driver?.kind !== 'better-sqlite3') return new PoolConnections().take(driver);
  const { handle } = driver;
  return {
    query: (sql, parameters) => patiently(() => runStatement(handle, { sql, parameters })),
    release: () => undefined,
    destroy: () => undefined,
  };
}
