import type { TableNames } from '../entities/table-names.js';
import type { Statement } from './dialect.js';

/**
 * The table `thorn_staged_messages`, which is on SQLite alone. A transaction of the application writes a message there: a
 * row at the end of one b-tree, where `thorn_messages` and `thorn_pending_messages` have six. Whatever we do next begins
 * by moving all of its rows, in the same transaction. So nobody else has to know the table.
 *
 * TypeORM does not know it either. It is created when it is missed, as after `synchronize(true)`.
 */
export class SqliteStaging {
  readonly table: string;
  /** Creates the table. */
  readonly creation: string;
  /** Finds a row, if there is one. */
  readonly search: Statement;
  /** Moves all rows. */
  readonly moves: readonly Statement[];

  /** @param columns of a message */
  constructor({ stagedMessages, messages, pendingMessages }: TableNames, columns: readonly string[]) {
    this.table = stagedMessages;
    const list = columns.join(', ');
    const move = (to: string, moved: string) => ({
      // Without WHERE, ON would read as the condition of a join.
      sql: `INSERT INTO ${to} (${moved}) SELECT ${moved} FROM ${stagedMessages} WHERE true ORDER BY place ON CONFLICT DO NOTHING`,
      parameters: [],
    });
    this.creation = `CREATE TABLE IF NOT EXISTS ${stagedMessages} (place integer PRIMARY KEY, ${list}, lease, due_at)`;
    this.search = { sql: `SELECT 1 FROM ${stagedMessages} LIMIT 1`, parameters: [] };
    this.moves = [
      move(messages, list),
      move(pendingMessages, 'id, lease, due_at'),
      { sql: `DELETE FROM ${stagedMessages}`, parameters: [] },
    ];
  }

  /** Tells whether a statement has failed because the table is not there. */
  isMissing(error: unknown): boolean {
    const { message } = error as { readonly message?: unknown };
    return typeof message === 'string' && message.endsWith(`no such table: ${unquoted(this.table)}`);
  }
}

function unquoted(table: string): string {
  return table.replaceAll('"', '');
}
