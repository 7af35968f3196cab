import type { DataSource } from 'typeorm';

/** The part of pg's `Pool` that tells of its connections. */
interface Pool {
  on(event: 'acquire', listener: (client: Client) => void): unknown;
}

interface Client {
  on(event: 'error', listener: () => void): unknown;
}

const guardedPools = new WeakSet<Pool>();

/**
 * Keeps an error of a PostgreSQL connection from ending the process.
 *
 * pg takes its own listener off a connection that it hands out, and TypeORM adds another one a moment later. A FATAL that
 * arrives in the same packet as the last answer, such as 57P01 of an administrator, is emitted in between. Without a
 * listener Node.js ends the process; with one the next query of the connection rejects, and the pool drops it.
 */
export function guardPools({ driver }: DataSource): void {
  const { master, slaves = [] } = driver as { readonly master?: Pool; readonly slaves?: Pool[] };
  for (const pool of [master, ...slaves]) {
    if (pool === undefined || guardedPools.has(pool)) continue;
    guardedPools.add(pool);
    const guarded = new WeakSet<Client>();
    pool.on('acquire', (client) => {
      if (guarded.has(client)) return;
      guarded.add(client);
      client.on('error', () => undefined);
    });
  }
}
