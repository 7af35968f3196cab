import type { DataSource, QueryRunner } from 'typeorm';
import { vi } from 'vitest';

/** Resolves once a write waits for a lock of another transaction, or has ended. */
export async function waitsOrEnds(dataSource: DataSource, write: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  const end = (): void => void (hasEnded = true);
  write.then(end, end);
  await vi.waitFor(
    async () => {
      if (hasEnded || (await isWaiting(dataSource))) return;
      throw new Error('The write neither waits nor ends');
    },
    { interval: 3 },
  );
}

/** Tells whether a connection of a database waits for a lock, as the server says. */
export async function isWaiting(dataSource: DataSource): Promise<boolean> {
  if (dataSource.options.type === 'postgres') {
    const [found] = await dataSource.query<[{ readonly waiting: string }]>(
      `SELECT COUNT(*) AS waiting FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return found.waiting !== '0';
  }
  // Not INNODB_TRX: that answers what it has answered within the last 100 ms.
  const [{ Status: status }] = await dataSource.query<[{ readonly Status: string }]>(
    'SHOW ENGINE INNODB STATUS',
  );
  const connections = await dataSource.query<readonly { readonly id: number }[]>(
    'SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = DATABASE()',
  );
  const waiting = status.split('---TRANSACTION').filter((part) => part.includes('LOCK WAIT'));
  return waiting.some((part) =>
    connections.some(({ id }) => part.includes(`MariaDB thread id ${id},`)),
  );
}

/** A transaction of another connection, open until it is told to end. */
export async function openTransaction(
  dataSource: DataSource,
): Promise<{ readonly runner: QueryRunner; commit(): Promise<void> }> {
  const runner = dataSource.createQueryRunner();
  await runner.query('BEGIN');
  return {
    runner,
    commit: async () => {
      await runner.query('COMMIT');
      await runner.release();
    },
  };
}
