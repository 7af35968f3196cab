import { idRows } from '../database/dialect.js';
import type { OutboxDatabase } from '../database/outbox-database.js';
import type { TableNames } from '../entities/table-names.js';

/** The SQL that deletes finished messages, or drops parts of them. What has become due again meanwhile is left. */
export class MessageRemoval {
  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
  ) {}

  /** Deletes messages with their deliveries and attempts. */
  async messages(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { dialect } = this.database;
    const { messages, deliveries, attempts } = this.tables;
    const { rows, parameter } = idRows(dialect, ids);
    const statement = (table: string, source: string, where: string) => ({
      sql: dialect.deleteFrom(table, source, where),
      parameters: [parameter],
    });
    await this.database.execute([
      statement(
        attempts,
        `${rows} ${dialect.join} ${deliveries} d ON d.message_id = r.id`,
        't.delivery_id = d.id AND d.due_at IS NULL',
      ),
      statement(deliveries, rows, 't.message_id = r.id AND t.due_at IS NULL'),
      statement(
        messages,
        rows,
        `t.id = r.id AND t.due_at IS NULL AND NOT EXISTS (SELECT 1 FROM ${deliveries} p WHERE p.message_id = t.id)`,
      ),
    ]);
  }

  /** Drops the bodies of messages; the rows stay. */
  async bodies(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { rows, parameter } = idRows(this.database.dialect, ids);
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
  async responses(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { dialect } = this.database;
    const { deliveries, attempts } = this.tables;
    const { rows, parameter } = idRows(dialect, ids);
    const drop = (table: string, source: string, where: string) => ({
      sql: dialect.updateFrom(
        table,
        ['response = NULL', 'answer_headers = NULL'],
        source,
        `${where} AND (t.response IS NOT NULL OR t.answer_headers IS NOT NULL)`,
      ),
      parameters: [parameter],
    });
    await this.database.execute([
      drop(deliveries, rows, 't.message_id = r.id'),
      drop(
        attempts,
        `${rows} ${dialect.join} ${deliveries} d ON d.message_id = r.id`,
        't.delivery_id = d.id',
      ),
    ]);
  }
}
