import type { Columns } from './dialect.js';
import type { Held } from './leases.js';
import type { OutboxDatabase, Row } from './outbox-database.js';
import { messageSelection } from './message-row.js';

// Names of their own: what is returned is named without its table on SQLite.
const HELD: Columns = { held_id: 'text', held_by: 'text' };

/**
 * Takes messages from those who hold them, as long as the token is still theirs.
 *
 * @param table quoted name of the table of messages
 * @param lease the token of the new holder
 * @param answer what to know of those that were taken: their ids are enough when their contents are known
 * @returns their rows
 */
export async function takeOver(
  database: OutboxDatabase,
  table: string,
  held: readonly Held[],
  lease: string,
  until: number,
  answer: 'id' | 'everything',
): Promise<readonly Row[]> {
  const { dialect } = database;
  const rows = dialect.rows('r', HELD);
  const json = dialect.rowsParameter(
    HELD,
    held.map((one) => ({ held_id: one.id, held_by: one.lease })),
  );
  const columns = (prefix = '') =>
    answer === 'id' ? `${prefix}id` : messageSelection(dialect, prefix);
  const update = dialect.updateFrom(
    table,
    ['lease = ?', 'due_at = ?'],
    rows,
    't.id = r.held_id AND t.lease = r.held_by',
  );
  if (dialect.returns) {
    const { rows: taken } = await database.run({
      sql: `${update} RETURNING ${columns()}`,
      parameters: [lease, until, json],
    });
    return taken;
  }
  const results = await database.execute([
    // The source of the rows comes before SET there.
    { sql: update, parameters: [json, lease, until] },
    {
      sql: `SELECT ${columns('t.')} FROM ${rows} ${dialect.join} ${table} t ON t.id = r.held_id AND t.lease = ?`,
      parameters: [json, lease],
    },
  ]);
  return results[1]!.rows;
}
