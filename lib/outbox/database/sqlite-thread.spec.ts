import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import { AbstractLogger, DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type SerializeTransactions,
  sqliteHandle,
  SqliteTransactions,
} from '../../sqlite/index.js';
import type { Statement } from './dialect.js';
import { SqliteDatabase } from './sqlite-database.js';

const BINDING = 'better-sqlite3/build/Release/better_sqlite3.node';
const INSERT = 'INSERT INTO note (text) SELECT value FROM json_each(?)';
const ROWS = JSON.stringify(Array.from({ length: 2500 }, (_, n) => `a note ${n}`));

describe('checkpoints of SqliteDatabase', () => {
  let directory: string;
  let file: string;
  let dataSource: DataSource;
  let database: SqliteDatabase | undefined;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'thorn-checkpoints-'));
    file = join(directory, 'app.db');
    dataSource = await open({});
    await dataSource.query('CREATE TABLE note (text TEXT NOT NULL)');
    await dataSource.query('PRAGMA wal_checkpoint(TRUNCATE)');
  });

  afterEach(async () => {
    await database?.close();
    database = undefined;
    await dataSource.destroy();
    rmSync(directory, { recursive: true, force: true });
  });

  function open(options: object): Promise<DataSource> {
    const type = 'better-sqlite3';
    return new DataSource({ type, database: file, enableWAL: true, ...options }).initialize();
  }

  const sizeOf = (name: string) => statSync(name, { throwIfNoEntry: false })?.size ?? 0;

  /** Of the outbox' own connection. */
  async function autocheckpoint(): Promise<unknown> {
    const [result] = await database!.execute([
      { sql: 'PRAGMA wal_autocheckpoint', parameters: [] },
    ]);
    return result!.rows[0]!['wal_autocheckpoint'];
  }

  it('copies what was written to the database, beside an open reader', async () => {
    database = new SqliteDatabase(dataSource);
    await database.open();
    const before = sizeOf(file);
    await database.execute([{ sql: INSERT, parameters: [ROWS] }]);
    await vi.waitUntil(() => sizeOf(file) > before, { timeout: 10_000 });
    expect(await autocheckpoint()).toBe(16_000);
  });

  it('leaves no connection behind: the last one to close removes the file ending in -wal', async () => {
    database = new SqliteDatabase(dataSource);
    await database.open();
    await database.execute([{ sql: INSERT, parameters: [ROWS] }]);
    await database.close();
    await dataSource.destroy();
    expect(sizeOf(`${file}-wal`)).toBe(0);
    dataSource = await open({});
    expect(await dataSource.query('SELECT count(*) AS count FROM note')).toEqual([{ count: 2500 }]);
  });

  it('leaves checkpoints to COMMIT when its thread cannot open the file', async () => {
    database = new SqliteDatabase(dataSource);
    await database.open();
    // The connections go on with the files that they have opened.
    renameSync(directory, `${directory}-moved`);
    await database.execute([{ sql: INSERT, parameters: [ROWS] }]);
    await vi.waitFor(async () => expect(await autocheckpoint()).toBe(4000), { timeout: 10_000 });
    renameSync(`${directory}-moved`, directory);
    await database.execute([{ sql: INSERT, parameters: [ROWS] }]);
  });

  it.each([
    ['a key', { key: 'secret' }],
    ['a preparation', { prepareDatabase: () => undefined }],
    ['a module that is loaded', { nativeBinding: createRequire(__filename)(BINDING) }],
  ])('leaves checkpoints to COMMIT for a database with %s', async (_, options) => {
    await dataSource.destroy();
    dataSource = await open(options);
    database = new SqliteDatabase(dataSource);
    await database.open();
    expect(await autocheckpoint()).toBe(4000);
  });
});

const TEXTS = Array.from({ length: 200 }, (_, n) => `part ${n} of a set`);
/** Large enough for the thread. One row: with many the thread would be busy with checkpoints. */
const SET: Statement = {
  sql: `INSERT INTO note (text) VALUES (${TEXTS.map(() => '?').join(' || ')})`,
  parameters: TEXTS,
};
/** Takes longer than the application waits for within a turn of the event loop. */
const SLOW: Statement = {
  sql: `INSERT INTO note (text) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500000) SELECT 'slow' FROM n WHERE i = ?`,
  parameters: [1_500_000],
};
const UNLOGGABLE = `INSERT INTO note (text) VALUES ('unloggable')`;
const REFUSED: Statement = { sql: 'INSERT INTO note (text) VALUES (?)', parameters: [null] };

describe('sets of SqliteDatabase on a thread', () => {
  let directory: string;
  let dataSource: DataSource;
  let database: SqliteDatabase;
  let thread: Worker;
  let statements: string[];

  class Logger extends AbstractLogger {
    override logQuery = (sql: string) => {
      if (sql === UNLOGGABLE) throw new Error('the log is full');
      statements.push(sql);
    };
    protected override writeLog = () => undefined;
  }

  const noteThread = (worker: Worker) => void (thread = worker);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'thorn-thread-'));
    statements = [];
    process.on('worker', noteThread);
  });

  afterEach(async () => {
    process.off('worker', noteThread);
    await database.close();
    await dataSource.destroy();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(serialize: SerializeTransactions = true): Promise<void> {
    dataSource = await new DataSource({
      type: 'better-sqlite3',
      database: join(directory, 'app.db'),
      enableWAL: true,
      logger: new Logger(),
      logging: true,
    }).initialize();
    SqliteTransactions.install(dataSource, serialize);
    await dataSource.query('CREATE TABLE note (text TEXT NOT NULL)');
    database = new SqliteDatabase(dataSource);
    await database.open();
  }

  /** Until the thread runs: the sets before are written by the event loop. */
  async function started(): Promise<void> {
    await open();
    await vi.waitUntil(async () => {
      const before = count();
      const writing = database.write([SLOW, SET]);
      const isApart = count() === before;
      await writing;
      return isApart;
    });
    await dataSource.query('DELETE FROM note');
    statements = [];
  }

  /** Of the rows that are committed, read at once. */
  const count = () =>
    sqliteHandle(dataSource)!.prepare('SELECT count(*) AS count FROM note').all()[0]!['count'];

  it('leaves the event loop to the application, and tells each statement once', async () => {
    await started();
    let isWritten = false;
    const writing = database.write([SLOW, SET]).finally(() => (isWritten = true));
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(isWritten).toBe(false);
    expect(await dataSource.query('SELECT count(*) AS count FROM note')).toEqual([{ count: 0 }]);
    await writing;
    expect(count()).toBe(2);
    expect(statements.filter((sql) => sql.startsWith('INSERT'))).toEqual([SLOW.sql, SET.sql]);
  });

  it('keeps the process from ending while a set is under way, and not before or after', async () => {
    await started();
    const ports = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    const before = ports();
    const writing = database.write([SLOW, SET]);
    expect(ports()).toBe(before + 1);
    await writing;
    expect(ports()).toBe(before);
  });

  it('writes on the event loop what is small', async () => {
    await started();
    for (let rows = 1; rows <= 20; rows++) {
      const writing = database.write([{ sql: 'INSERT INTO note VALUES (?)', parameters: ['a'] }]);
      expect(count()).toBe(rows);
      await writing;
    }
  });

  it('writes on the event loop where transactions take no turns', async () => {
    await open(false);
    expect(database.writesApart).toBe(false);
    for (let sets = 1; sets <= 20; sets++) {
      const writing = database.write([SET]);
      expect(count()).toBe(sets);
      await writing;
    }
  });

  it('lets transactions, writes and reads of the application begin meanwhile', async () => {
    await started();
    const found: unknown[] = [];
    const writing = database.write([SLOW, SET]);
    const transactions = [1, 2].map(() =>
      dataSource.transaction(async (manager) => {
        // A transaction that has only read so far cannot write once another connection has written.
        found.push(await manager.query('SELECT count(*) AS count FROM note'));
        await new Promise((resolve) => setImmediate(resolve));
        await manager.query(`INSERT INTO note (text) VALUES ('within')`);
      }),
    );
    const insert = dataSource.query(`INSERT INTO note (text) VALUES ('alone')`);
    const executing = database.execute([{ sql: 'SELECT count(*) FROM note', parameters: [] }]);
    const again = database.write([SLOW, SET]);
    await Promise.all([writing, ...transactions, insert, executing, again]);
    expect(found.flat()).toEqual([
      { count: expect.toSatisfy((n: number) => n >= 2) },
      { count: expect.toSatisfy((n: number) => n >= 3) },
    ]);
    expect(count()).toBe(2 * 2 + 3);
  });

  it('writes on the event loop for a while after the application had to wait', async () => {
    await started();
    const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    const writing = database.write([SLOW, SET]);
    await dataSource.query(`INSERT INTO note (text) VALUES ('alone')`);
    await writing;
    const next = database.write([SLOW, SET]);
    expect([count(), database.writesApart]).toEqual([5, false]);
    await next;
    now.mockRestore();
    await vi.waitUntil(() => database.writesApart);
    const last = database.write([SLOW, SET]);
    expect(count()).toBe(5);
    await last;
  });

  it('lets a transaction by hand begin behind it, and behind those that came before', async () => {
    await started();
    const writing = database.write([SLOW, SET]);
    const saving = dataSource.transaction((manager) =>
      manager.query(`INSERT INTO note (text) VALUES ('another')`),
    );
    await dataSource.query('BEGIN');
    expect(await dataSource.query('SELECT count(*) AS count FROM note')).toEqual([{ count: 3 }]);
    const next = database.write([SLOW, SET]);
    await dataSource.query(`INSERT INTO note (text) VALUES ('by hand')`);
    await dataSource.query('ROLLBACK');
    await Promise.all([writing, saving, next]);
    expect(await dataSource.query(`SELECT text FROM note WHERE text = 'by hand'`)).toEqual([]);
    expect(count()).toBe(2 * 2 + 1);
  });

  it('runs BEGIN, a write and COMMIT in this order when all of them were called meanwhile', async () => {
    await started();
    const writing = database.write([SLOW, SET]);
    await Promise.all([
      dataSource.query('BEGIN'),
      dataSource.query(`INSERT INTO note (text) VALUES ('by hand')`),
      dataSource.query('COMMIT'),
      writing,
    ]);
    expect(count()).toBe(3);
    expect(statements.slice(2)).toEqual([
      'BEGIN',
      `INSERT INTO note (text) VALUES ('by hand')`,
      'COMMIT',
    ]);
    expect(sqliteHandle(dataSource)!.inTransaction).toBe(false);
  });

  it('rejects as the event loop does when a statement fails, and writes nothing of the set', async () => {
    await started();
    const apart = await database.write([SLOW, SET, REFUSED]).catch((error: unknown) => error);
    const here = await database.write([REFUSED]).catch((error: unknown) => error);
    expect(apart).toMatchObject({ code: 'SQLITE_CONSTRAINT_NOTNULL' });
    expect(String(apart)).toBe(String(here));
    expect(count()).toBe(0);
    await database.write([SLOW, SET]);
    expect(count()).toBe(2);
  });

  it('rejects when the log of statements fails, and holds up nothing', async () => {
    await started();
    const writing = database.write([SET, { sql: UNLOGGABLE, parameters: [] }]);
    await expect(writing).rejects.toThrow('the log is full');
    await dataSource.query(`INSERT INTO note (text) VALUES ('alone')`);
    await database.write([SLOW, SET]);
    expect(count()).toBe(3);
  });

  it('waits while another process holds the lock', async () => {
    await started();
    const other = new Sqlite(join(directory, 'app.db'));
    other.exec('BEGIN IMMEDIATE');
    let isWritten = false;
    const writing = database.write([SLOW, SET]).finally(() => (isWritten = true));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isWritten).toBe(false);
    other.exec('COMMIT');
    other.close();
    await writing;
    expect(count()).toBe(2);
  });

  it('goes on without the thread when it ends with a set under way', async () => {
    await started();
    const writing = database.write([SLOW, SET]);
    const saving = dataSource.query(`INSERT INTO note (text) VALUES ('alone')`);
    await thread.terminate();
    await Promise.all([writing, saving]);
    expect(count()).toBe(3);
    expect(database.writesApart).toBe(false);
    await database.write([SLOW, SET]);
    expect(count()).toBe(5);
  });

  it('writes what is under way before it closes', async () => {
    await started();
    const writing = database.write([SLOW, SET]);
    const waiting = database.write([SLOW, SET]).catch((error: unknown) => error);
    await database.close();
    await writing;
    expect(await waiting).toMatchObject({ message: 'The outbox is closed' });
    expect(count()).toBe(2);
  });
});
