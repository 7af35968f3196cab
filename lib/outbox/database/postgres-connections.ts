import type { DataSource } from 'typeorm';

/** The part of a connection of pg that reports errors. */
interface PgClient {
  on(event: 'error', listener: () => void): unknown;
}

/** The part of pg's `Pool` that tells of its connections. */
interface Pool {
  on(event: 'acquire', listener: (client: PgClient) => void): unknown;
}

const knownPools = new WeakSet<Pool>();

/**
 * Keeps an error of a PostgreSQL connection from ending the process.
 *
 * pg takes its own listener off a connection that it hands out, and TypeORM adds another one a moment later. A FATAL that
 * arrives in the same packet as the last answer, such as 57P01 of an administrator, is emitted in between. Without a
 * listener Node.js ends the process; with one the next query of the connection rejects, and the pool drops it.
 */
export function surviveErrors({ driver }: DataSource): void {
  const { master, slaves = [] } = driver as { readonly master?: Pool; readonly slaves?: Pool[] };
  for (const pool of [master, ...slaves]) {
    if (pool === undefined || knownPools.has(pool)) continue;
    knownPools.add(pool);
    const known = new WeakSet<PgClient>();
    pool.on('acquire', (client) => {
      if (known.has(client)) return;
      known.add(client);
      client.on('error', () => undefined);
    });
  }
}
