import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SqliteDatabase } from './sqlite-database.js';

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
  ])('leaves checkpoints to COMMIT for a database with %s', async (_, options) => {
    await dataSource.destroy();
    dataSource = await open(options);
    database = new SqliteDatabase(dataSource);
    await database.open();
    expect(await autocheckpoint()).toBe(4000);
  });
});
