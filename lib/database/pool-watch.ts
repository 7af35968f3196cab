import type { PgClient, PgPool } from './sql-driver.js';

/** One use of a watched pool. */
export interface PoolWatch {
  /** True for a connection that the pool has handed out while the pool was watched. */
  has(connection: object): boolean;
  /** Ends this use. With the last one, all listeners are taken off the pool and its connections. */
  end(): void;
}

const WATCHED = new WeakMap<PgPool, WatchedPool>();

/**
 * Watches the connections that a PostgreSQL pool hands out. An error of such a connection does not end the process.
 *
 * pg takes its own listener off a connection that it hands out, and TypeORM adds another one a moment later. A FATAL
 * that arrives in the same packet as the last answer, such as 57P01 of an administrator, is emitted in between. Without
 * a listener Node.js ends the process; with one the next query of the connection rejects, and the pool drops it.
 *
 * Many applications of one process may share a pool, so that all uses share one listener.
 */
export function watchPool(pool: PgPool): PoolWatch {
  let watched = WATCHED.get(pool);
  if (watched === undefined) {
    watched = new WatchedPool(pool, () => WATCHED.delete(pool));
    WATCHED.set(pool, watched);
  }
  return watched.use();
}

class WatchedPool {
  readonly #connections = new Set<object>();
  #uses = 0;

  constructor(
    private readonly pool: PgPool,
    private readonly ended: () => void,
  ) {
    pool.on('acquire', this.#add);
    pool.on('remove', this.#forget);
  }

  use(): PoolWatch {
    this.#uses++;
    let isOn = true;
    return {
      has: (connection) => this.#connections.has(connection),
      end: () => {
        if (!isOn) return;
        isOn = false;
        if (--this.#uses === 0) this.#end();
      },
    };
  }

  readonly #add = (connection: PgClient): void => {
    if (this.#connections.has(connection)) return;
    this.#connections.add(connection);
    connection.on('error', ignore);
  };

  // The listener stays: a connection that is being closed may still fail.
  readonly #forget = (connection: PgClient): void => {
    this.#connections.delete(connection);
  };

  #end(): void {
    this.ended();
    this.pool.off('acquire', this.#add);
    this.pool.off('remove', this.#forget);
    for (const connection of this.#connections) (connection as PgClient).off('error', ignore);
    this.#connections.clear();
  }
}

function ignore(): void {}
