import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import pg from 'pg';
import type { DataSourceOptions } from 'typeorm';
import { startMariadb } from '../../test/services/mariadb.js';
import { startPostgres } from '../../test/services/postgres.js';
import { startRedis } from '../../test/services/redis.js';

/** What the contenders keep things in; everything is removed by {@link Services.stop}. */
export class Services {
  readonly #directory = mkdtempSync(join(tmpdir(), 'thorn-bench-outbox-'));
  readonly #ends: (() => Promise<void>)[] = [];
  #postgres: Promise<string> | null = null;
  #mariadb: Promise<string> | null = null;
  #redis: Promise<number> | null = null;
  #files = 0;

  /** A new file. */
  sqlite(): DataSourceOptions {
    const database = join(this.#directory, `${this.#files++}.db`);
    return { type: 'better-sqlite3', database, enableWAL: true };
  }

  /** A new database on the server of `THORN_BENCH_POSTGRES_URL`, or on one that is started here. */
  async postgres(): Promise<DataSourceOptions> {
    this.#postgres ??= this.#startPostgres();
    const server = await this.#postgres;
    const name = `thorn_bench_${randomBytes(6).toString('hex')}`;
    await query(server, `CREATE DATABASE ${name}`);
    this.#ends.unshift(async () => {
      await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    });
    const url = new URL(server);
    url.pathname = `/${name}`;
    return { type: 'postgres', url: url.href };
  }

  /** A new database on the server of `THORN_TEST_MARIADB_URL`, or on one that is started here. */
  async mariadb(): Promise<DataSourceOptions & { readonly url: string }> {
    this.#mariadb ??= this.#startMariadb();
    const server = await this.#mariadb;
    const name = `thorn_bench_${randomBytes(6).toString('hex')}`;
    await queryMariadb(server, `CREATE DATABASE ${name}`);
    this.#ends.unshift(() => queryMariadb(server, `DROP DATABASE IF EXISTS ${name}`));
    const url = new URL(server);
    url.pathname = `/${name}`;
    return { type: 'mariadb', url: url.href };
  }

  /** The port of a Redis server that is started here: without persistence, which is its fastest. */
  redis(): Promise<number> {
    this.#redis ??= this.#startRedis();
    return this.#redis;
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) await end();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #startPostgres(): Promise<string> {
    const given = process.env['THORN_BENCH_POSTGRES_URL'];
    const { url, stop } =
      given === undefined ? await startPostgres() : { url: given, stop: async () => {} };
    this.#ends.push(stop);
    const [{ version }] = await query<{ version: string }>(url, 'SELECT version()');
    console.error(version.split(' ', 2).join(' '));
    return url;
  }

  async #startMariadb(): Promise<string> {
    const { url, stop } = await startMariadb('1G');
    this.#ends.push(stop);
    return url;
  }

  async #startRedis(): Promise<number> {
    const { port, stop } = await startRedis();
    this.#ends.push(stop);
    return port;
  }
}

async function query<Row extends object>(url: string, sql: string): Promise<[Row, ...Row[]]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Row>(sql).finally(() => client.end());
  return rows as [Row, ...Row[]];
}

async function queryMariadb(uri: string, sql: string): Promise<void> {
  const client = await mysql.createConnection({ uri });
  await client.query(sql).finally(() => client.end());
}
