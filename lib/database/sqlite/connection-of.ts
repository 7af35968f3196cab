import { type PoolConnection, PoolConnections } from '../pool-connections.js';
import type { SqlDriver } from '../sql-driver.js';
import { runStatement } from './sqlite-handle.js';
import { patiently } from './sqlite-store.js';

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
