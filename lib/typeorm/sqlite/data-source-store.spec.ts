import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Columns, Statement } from '../../database/dialect.js';
import { createClient } from '../sources/typeorm-sources.js';
import { DataSourceStore } from './data-source-store.js';

const COLUMNS: Columns = { id: 'int', text: 'text' };

describe.each(['file', 'memory'])('DataSourceStore on a %s', (kind) => {
  let directory: string;
  let dataSource: DataSource;
  let database: DataSourceStore;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'thorn-sqlite-'));
    const file = kind === 'file' ? join(directory, 'app.db') : ':memory:';
    dataSource = new DataSource({ type: 'better-sqlite3', database: file });
    await dataSource.initialize();
    await dataSource.query('CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)');
    database = new DataSourceStore(await createClient(dataSource));
    await database.open();
  });

  afterEach(async () => {
    await database.close();
    await dataSource.destroy();
    rmSync(directory, { recursive: true, force: true });
  });

  function inserted(...texts: readonly (string | null)[]): Statement {
    const { dialect } = database;
    const rows = texts.map((text, at) => ({ id: at + 1, text }));
    return {
      sql: dialect.insertNew(
        'note',
        ['id', 'text'],
        `SELECT r.id, r.text FROM ${dialect.rows('r', COLUMNS)} WHERE 1 = 1`,
      ),
      parameters: [dialect.rowsParameter(COLUMNS, rows)],
    };
  }

  const notes = () => dataSource.query<{ text: string }[]>('SELECT text FROM note ORDER BY id');

  it('leaves nothing of a transaction when it refuses a row of its last statement', async () => {
    await database.execute([inserted('kept')]);
    const other = { sql: "INSERT INTO note (text) VALUES ('other')", parameters: [] };
    await expect(database.execute([other, inserted('a', 'b', null)])).rejects.toThrow('NOT NULL');
    await expect(database.execute([inserted('a', 'b', null)])).rejects.toThrow('NOT NULL');
    expect(await notes()).toEqual([{ text: 'kept' }]);
  });

  it('writes by the application’s own connection after close(), and refuses when that is closed', async () => {
    await database.close();
    await database.execute([inserted('late')]);
    expect(await notes()).toEqual([{ text: 'late' }]);
    await dataSource.destroy();
    await expect(database.execute([inserted('later')])).rejects.toThrow('closed');
    await dataSource.initialize();
  });

  it('leaves out rows that are there already', async () => {
    await database.execute([inserted('first')]);
    await database.execute([inserted('again', 'second')]);
    expect(await notes()).toEqual([{ text: 'first' }, { text: 'second' }]);
  });
});
