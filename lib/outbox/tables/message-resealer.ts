import { SecretUnreadableError } from '../../signing/index.js';
import { FIRST_KEY, keyOf, withMessageId } from './keys.js';
import type { MessageRowMapper } from './message-row-mapper.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { TableNames } from './table-names.js';

/** The result for one page of messages. */
export interface ResealedMessages {
  readonly checked: number;
  readonly resealed: number;
  /** Ids of messages whose subscribers cannot be opened. */
  readonly unreadable: readonly string[];
  readonly next: string | null;
}

/** Seals the subscribers that messages name themselves again, including their secrets. */
export class MessageResealer {
  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
    private readonly rows: MessageRowMapper,
  ) {}

  /** Seals one page of messages with the first key, in the order of their ids. */
  async reseal(limit: number, after: string | null, dryRun: boolean): Promise<ResealedMessages> {
    const { messages } = this.tables;
    const { dialect } = this.database;
    const recipients = dialect.asText('m.recipients');
    const found = await this.database.run({
      sql: `SELECT m.id, m.given_id, CASE WHEN ${recipients} = '[]' THEN NULL ELSE ${recipients} END AS recipients FROM ${messages} m WHERE m.id > ? ORDER BY m.id LIMIT ?`,
      parameters: [after === null ? FIRST_KEY : keyOf('msg_', after), limit],
    });
    const rows = found.rows.map(withMessageId);
    const unreadable: string[] = [];
    const changes = rows.flatMap(({ id, recipients: stored }) => {
      if (stored === null) return [];
      const sealed = this.#resealed(id as string, stored as string);
      if (sealed === undefined) unreadable.push(id as string);
      return sealed === null || sealed === undefined
        ? []
        : [[sealed, keyOf('msg_', id as string), stored]];
    });
    if (!dryRun && changes.length > 0) {
      // Few messages name subscribers. A concurrent change wins.
      const sql = `UPDATE ${messages} SET recipients = ? WHERE id = ? AND ${dialect.asText('recipients')} = ?`;
      await this.database.execute(changes.map((parameters) => ({ sql, parameters })));
    }
    return {
      checked: rows.length,
      resealed: changes.length,
      unreadable,
      next: rows.length < limit ? null : (rows.at(-1)!['id'] as string),
    };
  }

  /** @returns null when the text is sealed with the first key already, undefined when it cannot be opened */
  #resealed(id: string, stored: string): string | null | undefined {
    try {
      return this.rows.resealed(id, stored);
    } catch (error) {
      if (error instanceof SecretUnreadableError) return undefined;
      throw error;
    }
  }
}
