import { randomBytes } from 'node:crypto';
import type { CommitLog, LoggedChange, LoggedCommit, LoggedRow } from './commit-log.js';

// As in: table public.item: UPDATE: old-key: id[integer]:1 name[text]:'a' new-tuple: id[integer]:1 name[text]:'b'
const LINE = /^table public\.(\w+): (INSERT|UPDATE|DELETE): (.*)$/s;
const COLUMN = /"?(\w+)"?\[([^\]]+)\]:('(?:[^']|'')*'|\S+)/g;

/**
 * What PostgreSQL decodes of its own log (`test_decoding`): whole transactions in the order of their commits. The server
 * needs `wal_level=logical`.
 */
export function logicalDecoding(): CommitLog {
  // Slots are the server's, and not of one database.
  const slot = `thorn_${randomBytes(8).toString('hex')}`;
  return {
    options: {},
    ordersRowsAlone: false,
    join: () => {},
    begin: async (dataSource, tables) => {
      // Else the log has of an old row no more than its key.
      for (const table of tables.keys()) {
        await dataSource.query(`ALTER TABLE "${table}" REPLICA IDENTITY FULL`);
      }
      await dataSource.query(
        `SELECT pg_create_logical_replication_slot('${slot}', 'test_decoding')`,
      );
    },
    read: async (dataSource) => {
      const lines = await dataSource.query<{ data: string }[]>(
        `SELECT data FROM pg_logical_slot_peek_changes('${slot}', NULL, NULL, 'include-xids', '0')`,
      );
      const commits: LoggedCommit[] = [];
      let changes: LoggedChange[] = [];
      for (const { data } of lines) {
        if (data === 'COMMIT') commits.push(changes);
        else if (data === 'BEGIN') changes = [];
        else changes.push(...changeOf(data));
      }
      return commits.filter(({ length }) => length > 0);
    },
    end: async (dataSource) => {
      await dataSource.query(`SELECT pg_drop_replication_slot('${slot}')`);
    },
  };
}

function changeOf(line: string): LoggedChange[] {
  const [, table, kind, rest] = LINE.exec(line) ?? [];
  // Ours have no whole old rows, and are not looked at.
  if (table === undefined || table.startsWith('thorn_')) return [];
  const [before, after] = rest!.split('new-tuple: ') as [string, string?];
  if (kind === 'INSERT') return [{ table, before: null, after: rowOf(before) }];
  if (kind === 'DELETE') return [{ table, before: rowOf(before), after: null }];
  return [{ table, before: rowOf(before), after: rowOf(after!) }];
}

/** Of an old row, columns without a value are left out. */
function rowOf(text: string): LoggedRow {
  const columns = [...text.matchAll(COLUMN)].map(([, name, type, value]) => {
    if (value === 'null') return [name!, null] as const;
    if (type === 'integer' || type === 'bigint') return [name!, Number(value)] as const;
    return [name!, value!.slice(1, -1).replaceAll("''", "'")] as const;
  });
  return Object.fromEntries(columns);
}
