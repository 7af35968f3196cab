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

/** Databases that this process has emptied: the server makes a new one in three times the time. */
const emptied: string[] = [];

/** A new and empty database on the run's PostgreSQL server, or one that was emptied; drop it in `afterAll`. */
export async function freshPostgres(): Promise<FreshDatabase> {
  const server = serverUrl('postgresUrl');
  const name = emptied.pop() ?? (await createdOnPostgres(server));
  const url = urlOf(server, name);
  return {
    url,
    drop: async () => {
      try {
        await onPostgres(url, EMPTY);
        emptied.push(name);
      } catch {
        await onPostgres(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }
    },
  };
}

/**
 * Removes what a test made, and fails where that would not be all: while somebody is connected, who may go on, and when
 * something was made that belongs to no schema. A pool has ended before its connections are closed.
 */
const EMPTY = `DO $$ DECLARE name text; BEGIN
  FOR turn IN 1..50 LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend');
    IF turn = 50 THEN RAISE 'somebody is connected'; END IF;
    PERFORM pg_sleep(0.02); PERFORM pg_stat_clear_snapshot();
  END LOOP;
  IF EXISTS (SELECT FROM pg_event_trigger) OR EXISTS (SELECT FROM pg_publication)
    OR EXISTS (SELECT FROM pg_default_acl) OR EXISTS (SELECT FROM pg_largeobject_metadata)
    OR EXISTS (SELECT FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database())
    OR EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND datacl IS NOT NULL)
  THEN RAISE 'not all of it is in schemas'; END IF;
  SET LOCAL client_min_messages = warning;
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
  CREATE SCHEMA public;
  IF current_setting('server_version_num')::int < 150000 THEN
    GRANT ALL ON SCHEMA public TO PUBLIC;
  ELSE
    ALTER SCHEMA public OWNER TO pg_database_owner;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
  END IF;
END $$`;

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
      await onMariadb(
        server,
        // One that has left by itself meanwhile is no error.
        `BEGIN NOT ATOMIC
          DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;
          FOR one IN (SELECT id FROM information_schema.processlist WHERE db = '${name}') DO KILL one.id; END FOR;
        END`,
        `DROP DATABASE IF EXISTS ${name}`,
      );
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
  return `${inject('databasePrefix')}${randomBytes(6).toString('hex')}`;
}

function urlOf(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function createdOnPostgres(server: string): Promise<string> {
  const name = freshName();
  await onPostgres(server, `CREATE DATABASE ${name}`);
  return name;
}

async function onPostgres(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function onMariadb(uri: string, ...statements: readonly string[]): Promise<void> {
  const client = await mysql.createConnection({ uri });
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}
