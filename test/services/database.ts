import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { inject } from 'vitest';

/** A database of one's own. */
export interface FreshDatabase {
  readonly url: string;
  /** Ends whatever is still connected and removes the database. */
  readonly drop: () => Promise<void>;
}

/** A new and empty database on the run's PostgreSQL server; drop it in `afterAll`. */
export async function freshPostgres(): Promise<FreshDatabase> {
  const server = serverUrl('postgresUrl');
  const name = freshName();
  // The default writes all of it to the log as well. Before version 15 there was no other.
  await onPostgres(server, (version) =>
    version < 15 ? `CREATE DATABASE ${name}` : `CREATE DATABASE ${name} STRATEGY FILE_COPY`,
  );
  return {
    url: urlOf(server, name),
    drop: async () => {
      // A pool has ended before its connections are closed, and fails where one is ended meanwhile.
      await onPostgres(
        server,
        `DO $$ BEGIN FOR turn IN 1..50 LOOP
          EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '${name}');
          PERFORM pg_sleep(0.02); PERFORM pg_stat_clear_snapshot();
        END LOOP; END $$`,
      );
      await onPostgres(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** The same on the run's MariaDB server, where texts that differ in their case alone are equal by default. */
export async function freshMariadb(): Promise<FreshDatabase> {
  const server = serverUrl('mariadbUrl');
  const name = freshName();
  await onMariadb(
    server,
    `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
  );
  return {
    url: urlOf(server, name),
    drop: async () => {
      const sessions = `SELECT id FROM information_schema.processlist WHERE db = '${name}'`;
      const connected = await onMariadb(server, sessions);
      // One that has left by itself meanwhile is no error.
      for (const { id } of connected) await onMariadb(server, `KILL ${id}`).catch(() => []);
      await onMariadb(server, `DROP DATABASE IF EXISTS ${name}`);
    },
  };
}

function serverUrl(name: 'postgresUrl' | 'mariadbUrl'): string {
  const url = inject(name);
  if (url !== undefined) return url;
  throw new Error(
    `This run has no ${name}: take the spec out of the lists of test:unit and test:quick in vitest.config.ts`,
  );
}

function freshName(): string {
  return `thorn_${randomBytes(8).toString('hex')}`;
}

function urlOf(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** @param sql a statement, or one that depends on the major version of the server */
async function onPostgres(url: string, sql: string | ((version: number) => string)): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    if (typeof sql === 'string') return void (await client.query(sql));
    const { rows } = await client.query<{ version: number }>(
      "SELECT current_setting('server_version_num')::int / 10000 AS version",
    );
    await client.query(sql(rows[0]!.version));
  } finally {
    await client.end();
  }
}

async function onMariadb(uri: string, sql: string): Promise<readonly { readonly id: number }[]> {
  const client = await mysql.createConnection({ uri });
  try {
    const [rows] = await client.query<mysql.RowDataPacket[]>(sql);
    return rows as { readonly id: number }[];
  } finally {
    await client.end();
  }
}
