import Database from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { findDialect } from '../../lib/database/dialect.js';
import { createMissingTables } from '../../lib/database/schema/missing-tables.js';
import type { Row, SqlExecutor } from '../../lib/database/sql-client.js';
import { createDatabase } from './databases.js';

export type TriggerDatabase = 'postgres' | 'mariadb' | 'sqlite';

/** One connection to a database with the library's tables. */
export interface TriggerConnection {
  readonly executor: SqlExecutor;
  /** Runs SQL as an application would. */
  sql(text: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
  end(): Promise<void>;
}

export interface TriggerPlace extends TriggerConnection {
  readonly url: string;
  connect(url?: string): Promise<TriggerConnection>;
  /** What triggers have written down since the last call, oldest first. */
  changes(): Promise<readonly StoredChange[]>;
}

export interface StoredChange {
  readonly tx: unknown;
  readonly source: unknown;
  readonly old_row: string | null;
  readonly new_row: string | null;
}

const CHANGES: Readonly<Record<TriggerDatabase, string>> = {
  postgres:
    'SELECT tx, source, old_row::text AS old_row, new_row::text AS new_row FROM thorn_changes ORDER BY id',
  mariadb: 'SELECT tx, source, old_row, new_row FROM thorn_changes ORDER BY id',
  sqlite: 'SELECT tx, source, old_row, new_row FROM thorn_changes ORDER BY id',
};

export async function openTriggerPlace(database: TriggerDatabase): Promise<TriggerPlace> {
  const { options, drop } = await createDatabase(database === 'sqlite' ? 'file' : database);
  const { url = '', database: file = '' } = options as { url?: string; database?: string };
  const connect = (given = database === 'sqlite' ? file : url) => open(database, given);
  const connection = await connect();
  await createMissingTables(connection.executor, {});
  return {
    ...connection,
    url: database === 'sqlite' ? `file:${file}` : url,
    connect,
    async changes() {
      const rows = await connection.sql(CHANGES[database]);
      await connection.sql('DELETE FROM thorn_changes');
      return rows as unknown as readonly StoredChange[];
    },
    async end() {
      await connection.end();
      await drop();
    },
  };
}

async function open(database: TriggerDatabase, place: string): Promise<TriggerConnection> {
  const { rows, end } = await CLIENTS[database](place);
  const dialect = findDialect(database === 'sqlite' ? 'better-sqlite3' : database);
  return {
    executor: {
      dialect,
      run: async ({ sql, parameters }) => {
        const text = parameters.length === 0 ? sql : dialect.placeholders(sql);
        return { rows: await rows(text, parameters), affected: 0 };
      },
    },
    sql: (text, parameters = []) => rows(text, parameters),
    end,
  };
}

interface Opened {
  rows(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]>;
  end(): Promise<void>;
}

const CLIENTS: Readonly<Record<TriggerDatabase, (place: string) => Promise<Opened>>> = {
  async postgres(place) {
    const client = new Client(place);
    await client.connect();
    return {
      rows: async (sql, parameters) => (await client.query<Row>(sql, [...parameters])).rows,
      end: () => client.end(),
    };
  },
  async mariadb(place) {
    const client = await createConnection(place);
    return {
      rows: async (sql, parameters) => {
        const [rows] = await client.query(sql, [...parameters]);
        return Array.isArray(rows) ? (rows as Row[]) : [];
      },
      end: () => client.end(),
    };
  },
  async sqlite(place) {
    const handle = new Database(place);
    return {
      rows: async (sql, parameters) => {
        const statement = handle.prepare<unknown[], Row>(sql);
        if (statement.reader) return statement.all(...parameters);
        statement.run(...parameters);
        return [];
      },
      end: async () => void handle.close(),
    };
  },
};
