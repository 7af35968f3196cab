import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SqlClient } from './sql-client.js';
import { SqliteStore } from './sqlite-store.js';

const PAGE = 4096;
const INSERT = 'INSERT INTO note (text) VALUES (?)';

let directory: string;
let file: string;
let store: SqliteStore;
let utilization: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thorn-sqlite-'));
  file = join(directory, 'app.db');
  vi.useFakeTimers({ toFake: ['performance'] });
  const open = () => {
    const handle = new Database(file);
    handle.pragma('journal_mode = WAL');
    return { handle, close: () => handle.close() };
  };
  const connections = { application: undefined, open, leftOpen: 'BEGIN without COMMIT' };
  store = new SqliteStore({} as SqlClient<never>, connections, { sinceLast: () => utilization });
  await store.execute([{ sql: 'CREATE TABLE note (text TEXT)', parameters: [] }]);
});

afterEach(async () => {
  vi.useRealTimers();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Writes pages one by one, so many milliseconds apart. @returns the pages of the -wal file, which never shrinks */
async function pagesAfter(count: number, milliseconds = 1): Promise<number> {
  for (let n = 0; n < count; n++) {
    vi.advanceTimersByTime(milliseconds);
    await store.execute([{ sql: INSERT, parameters: ['x'.repeat(PAGE)] }]);
  }
  return statSync(`${file}-wal`).size / PAGE;
}

it('checkpoints often while the event loop has time to spare, and seldom while it has none', async () => {
  utilization = 0.5;
  expect(await pagesAfter(1000)).toBeLessThan(250);
  utilization = 0.9;
  const many = await pagesAfter(1000);
  expect(many).toBeGreaterThan(1900);
  expect(many).toBeLessThan(2100);
});

it('checkpoints often from the start, also when it is opened again', async () => {
  utilization = 0.5;
  await pagesAfter(10);
  await store.close();
  await store.open();
  expect(await pagesAfter(400, 0)).toBeLessThan(250);
});
