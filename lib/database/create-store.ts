import { PooledStore } from './pooled-store.js';
import type { SqlClient } from './sql-client.js';
import type { SqlStore } from './sql-store.js';

/** A client that may have a store of its own kind: SQLite has no pool. */
export interface ClientWithStore {
  /** Undefined where a pool serves. */
  createStore(): SqlStore | undefined;
}

/** @param timeout milliseconds after which a connection counts as dead and is dropped */
export function createStore(
  client: SqlClient<never> & Partial<ClientWithStore>,
  timeout: number,
): SqlStore {
  return client.createStore?.() ?? new PooledStore(client, timeout);
}
