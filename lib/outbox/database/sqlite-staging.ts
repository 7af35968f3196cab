import type { TableNames } from '../entities/table-names.js';
import type { Statement } from './dialect.js';
import type { Result } from './outbox-database.js';

/** Rows that are moved in one turn of the event loop. */
export const MOST_MOVED = 1000;

/**
 * The table `thorn_staged_messages`, which is on SQLite alone. A message that is saved or sent is written there: a row at the
 * end of one b-tree, where `thorn_messages` and `thorn_pending_messages` have six. Whatever else we do begins by moving
 * all of its rows. So nobody else has to know the table.
 *
 * TypeORM does not know it either. It is created when it is missed, as after `synchronize(true)`.
 */
export class SqliteStaging {
  readonly table: string;
  /** Creates the table. */
  readonly creation: string;
  /** Counts the rows, at most one more than {@link moves} moves. */
  readonly count: Statement;
  /** Moves the first rows. */
  readonly moves: readonly Statement[];

  /** @param columns of a message */
  constructor(
    { stagedMessages, messages, pendingMessages }: TableNames,
    columns: readonly string[],
  ) {
    this.table = stagedMessages;
    const list = columns.join(', ');
    const first = `FROM ${stagedMessages} ORDER BY place LIMIT ${MOST_MOVED}`;
    const move = (to: string, moved: string) => ({
      // Without WHERE, ON would read as the condition of a join.
      sql: `INSERT INTO ${to} (${moved}) SELECT * FROM (SELECT ${moved} ${first}) WHERE true ON CONFLICT DO NOTHING`,
      parameters: [],
    });
    this.creation = `CREATE TABLE IF NOT EXISTS ${stagedMessages} (place integer PRIMARY KEY, ${list}, lease, due_at)`;
    this.count = {
      sql: `SELECT COUNT(*) AS amount FROM (SELECT 1 FROM ${stagedMessages} LIMIT ${MOST_MOVED + 1})`,
      parameters: [],
    };
    this.moves = [
      move(messages, list),
      move(pendingMessages, 'id, lease, due_at'),
      {
        sql: `DELETE FROM ${stagedMessages} WHERE place IN (SELECT place ${first})`,
        parameters: [],
      },
    ];
  }

  /** The statements that come first, by the result of {@link count}. */
  movesOf({ rows: [found] }: Result): {
    readonly moves: readonly Statement[];
    readonly isAll: boolean;
  } {
    const rows = Number(found!['amount']);
    return { moves: rows === 0 ? [] : this.moves, isAll: rows <= MOST_MOVED };
  }

  /** Tells whether a statement has failed because the table is not there. */
  isMissing(error: unknown): boolean {
    const { message } = error as { readonly message?: unknown };
    return (
      typeof message === 'string' && message.endsWith(`no such table: ${unquoted(this.table)}`)
    );
  }
}

function unquoted(table: string): string {
  return table.replaceAll('"', '');
}
