import pg from 'pg';
import { type OwnPostgres, startOwnPostgres } from '../../services/postgres.js';
import { mariadbAudit, sqliteAudit } from '../commits/audit-triggers.js';
import type { CommitLog } from '../commits/commit-log.js';
import { logicalDecoding } from '../commits/logical-decoding.js';
import { createDatabase, type TestDatabase } from '../databases.js';

/** For `describe.each()`: the databases that programs run on. */
export const PROGRAM_DATABASES: readonly ProgramDatabase[] = ['postgres', 'mariadb', 'sqlite'];
export type ProgramDatabase = 'postgres' | 'mariadb' | 'sqlite';

/** A server for the programs on PostgreSQL: it decodes its log, and ends deadlocks soon. */
export function startDecodingPostgres(): Promise<OwnPostgres> {
  return startOwnPostgres('wal_level=logical', 'deadlock_timeout=20ms');
}

/** A new and empty database whose commits can be read. */
export async function createLoggedDatabase(
  kind: ProgramDatabase,
  server: OwnPostgres,
): Promise<{ readonly place: TestDatabase; readonly log: CommitLog }> {
  if (kind === 'mariadb') return { place: await createDatabase('mariadb'), log: mariadbAudit() };
  if (kind === 'sqlite') return { place: await createDatabase('file'), log: sqliteAudit() };
  return { place: await createOn(server), log: logicalDecoding() };
}

let count = 0;

async function createOn({ url }: OwnPostgres): Promise<TestDatabase> {
  const name = `program_${++count}`;
  await run(url, `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = name;
  return {
    options: { type: 'postgres', url: own.href },
    drop: () => run(url, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
