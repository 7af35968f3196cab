import { idRows, type Statement } from '../database/dialect.js';
import type { OutboxDatabase, Result } from '../database/outbox-database.js';
import type { TableNames } from '../entities/table-names.js';
import { isOfMessages, keyOf, rangesOf } from '../tables/keys.js';
import type { MessageCursor } from '../model/message-cursor.js';

/** The SQL that deletes finished messages, or drops parts of them. What has become due again meanwhile is left. */
export class MessageRemoval {
  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
  ) {}

  /** Deletes messages with their deliveries and attempts. */
  async messages(messages: readonly MessageCursor[]): Promise<void> {
    const { messages: table, pendingMessages, deliveries, attempts } = this.tables;
    const isFinished = `NOT EXISTS (SELECT 1 FROM ${pendingMessages} p WHERE p.id = t.id)`;
    for (const set of rangesOf(messages)) {
      const finished = (before: readonly Result[]) => keysOf(before[0]!, 'id');
      await this.database.execute([
        this.#deliveriesOf(set, 'd.due_at IS NULL'),
        (before) => this.#deletion(attempts, 't.delivery_id = r.id', finished(before)),
        (before) =>
          this.#deletion(deliveries, 't.id = r.id AND t.due_at IS NULL', finished(before)),
        this.#deliveriesOf(set, '1 = 1'),
        (before) => {
          const kept = new Set(keysOf(before[3]!, 'message_id'));
          const gone = set.map(({ id }) => keyOf('msg_', id)).filter((key) => !kept.has(key));
          return this.#deletion(table, `t.id = r.id AND ${isFinished}`, gone);
        },
      ]);
    }
  }

  /** Drops the bodies of messages; the rows stay. */
  async bodies(messages: readonly MessageCursor[]): Promise<void> {
    if (messages.length === 0) return;
    const { rows, parameter } = idRows(
      this.database.dialect,
      messages.map(({ id }) => keyOf('msg_', id)),
    );
    const sql = this.database.dialect.updateFrom(
      this.tables.messages,
      // With the body, the secrets of subscribers that the message names itself.
      ['body = NULL', "recipients = '[]'"],
      rows,
      't.id = r.id AND t.body IS NOT NULL',
    );
    await this.database.run({ sql, parameters: [parameter] });
  }

  /** Drops what endpoints have answered to messages; the rows stay. */
  async responses(messages: readonly MessageCursor[]): Promise<void> {
    const { dialect } = this.database;
    const { deliveries, attempts } = this.tables;
    const drop = (table: string, column: string) => (before: readonly Result[]) => {
      const keys = keysOf(before[0]!, 'id');
      if (keys.length === 0) return null;
      const { rows, parameter } = idRows(dialect, keys);
      const where = `t.${column} = r.id AND (t.response IS NOT NULL OR t.answer_headers IS NOT NULL)`;
      const set = ['response = NULL', 'answer_headers = NULL'];
      return {
        sql: dialect.updateFrom(table, set, rows, where),
        parameters: [parameter],
      };
    };
    for (const set of rangesOf(messages)) {
      await this.database.execute([
        this.#deliveriesOf(set, '1 = 1'),
        drop(deliveries, 'id'),
        drop(attempts, 'delivery_id'),
      ]);
    }
  }

  #deliveriesOf(messages: readonly MessageCursor[], condition: string): Statement {
    const { sql, parameters } = isOfMessages(messages);
    return {
      sql: `SELECT d.id, d.message_id FROM ${this.tables.deliveries} d WHERE ${sql} AND ${condition}`,
      parameters,
    };
  }

  #deletion(table: string, where: string, keys: readonly string[]): Statement | null {
    if (keys.length === 0) return null;
    const { rows, parameter } = idRows(this.database.dialect, keys);
    return { sql: this.database.dialect.deleteFrom(table, rows, where), parameters: [parameter] };
  }
}

function keysOf({ rows }: Result, column: string): readonly string[] {
  return rows.map((row) => row[column] as string);
}
