import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from './apps/outbox-app.js';
import { freshMariadb, freshPostgres } from '../services/database.js';

export type Kind = 'file' | 'memory' | 'postgres' | 'mariadb';

export async function placeOf(kind: Kind): Promise<Place> {
  if (kind === 'postgres') {
    const { url, drop } = await freshPostgres();
    return { options: { type: 'postgres', url }, remove: drop };
  }
  if (kind === 'mariadb') {
    const { url, drop } = await freshMariadb();
    return { options: { type: 'mariadb', url }, remove: drop };
  }
  if (kind === 'memory') {
    return { options: { type: 'better-sqlite3', database: ':memory:' }, remove: async () => {} };
  }
  const directory = mkdtempSync(join(tmpdir(), 'thorn-outbox-'));
  return {
    options: { type: 'better-sqlite3', database: join(directory, 'app.db'), enableWAL: true },
    remove: async () => rmSync(directory, { recursive: true, force: true }),
  };
}
