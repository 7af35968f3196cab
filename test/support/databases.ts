import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import { freshMariadb, freshPostgres } from '../services/database.js';

/** A new and empty database. Several data sources may be opened on it, as processes would. */
export interface TestDatabase {
  readonly options: DataSourceOptions;
  /** Removes the database. */
  readonly drop: () => Promise<void>;
}

/** `memory` and `file` are SQLite. */
export type DatabaseKind = 'file' | 'memory' | 'postgres' | 'mariadb';

export async function createDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  if (kind === 'postgres') {
    const { url, drop } = await freshPostgres();
    return { options: { type: 'postgres', url }, drop };
  }
  if (kind === 'mariadb') {
    const { url, drop } = await freshMariadb();
    return { options: { type: 'mariadb', url }, drop };
  }
  if (kind === 'memory') {
    return { options: { type: 'better-sqlite3', database: ':memory:' }, drop: async () => {} };
  }
  const directory = mkdtempSync(join(tmpdir(), 'thorn-outbox-'));
  return {
    options: { type: 'better-sqlite3', database: join(directory, 'app.db'), enableWAL: true },
    drop: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** For `describe.each()`: the databases that tests of whole applications run on. */
export const sqliteAndPostgres: readonly {
  readonly database: string;
  create(): Promise<TestDatabase>;
}[] = [
  { database: 'SQLite', create: () => createDatabase('memory') },
  { database: 'PostgreSQL', create: () => createDatabase('postgres') },
];
