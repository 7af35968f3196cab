import { idRows } from './dialect.js';
import type { OutboxDatabase, Row } from './outbox-database.js';
import type { OutboxSettings } from './outbox-options.js';
import type { TableNames } from './tables.js';

const BATCH = 200;
const DAY = 24 * 60 * 60_000;

/** Deletes what is old and finished, a small batch at a time so that nobody waits for a lock. */
export class Retention {
  readonly #database: OutboxDatabase;
  readonly #tables: TableNames;
  readonly #settings: OutboxSettings;
  // Where the last pass ended: what is expunged already is not looked at again.
  readonly #expunged = { body: { time: 0, id: '' }, answer: { time: 0, id: '' } };

  constructor(database: OutboxDatabase, tables: TableNames, settings: OutboxSettings) {
    this.#database = database;
    this.#tables = tables;
    this.#settings = settings;
  }

  /**
   * Deletes and expunges one batch.
   *
   * @returns whether there may be more
   */
  async step(now: number): Promise<boolean> {
    const { retentionDays, payloadDays, answerDays } = this.#settings;
    const deleted = await this.#delete(now - retentionDays * DAY);
    let mayBeMore = deleted === BATCH;
    if (payloadDays < retentionDays) {
      mayBeMore = (await this.#expunge('body', now - payloadDays * DAY)) || mayBeMore;
    }
    if (answerDays < retentionDays) {
      mayBeMore = (await this.#expunge('answer', now - answerDays * DAY)) || mayBeMore;
    }
    return mayBeMore;
  }

  async #delete(before: number): Promise<number> {
    const { messages, deliveries, attempts } = this.#tables;
    const found = await this.#finished(before, { time: 0, id: '' });
    if (found.length === 0) return 0;
    const { dialect } = this.#database;
    const { rows, parameter } = this.#listed(found);
    const statement = (table: string, source: string, where: string) => ({
      sql: dialect.deleteFrom(table, source, where),
      parameters: [parameter],
    });
    await this.#database.execute([
      statement(attempts, this.#withDeliveries(rows), 't.delivery_id = d.id AND d.due_at IS NULL'),
      statement(deliveries, rows, 't.message_id = r.id AND t.due_at IS NULL'),
      statement(
        messages,
        rows,
        `t.id = r.id AND t.due_at IS NULL AND NOT EXISTS (SELECT 1 FROM ${deliveries} p WHERE p.message_id = t.id)`,
      ),
    ]);
    return found.length;
  }

  async #expunge(what: 'body' | 'answer', before: number): Promise<boolean> {
    const { messages, attempts } = this.#tables;
    const found = await this.#finished(before, this.#expunged[what]);
    if (found.length === 0) return false;
    const { dialect } = this.#database;
    const { rows, parameter } = this.#listed(found);
    await this.#database.run({
      sql:
        what === 'body'
          ? dialect.updateFrom(
              messages,
              // With the body, the secrets of subscribers that the message names itself.
              ['body = NULL', "recipients = '[]'"],
              rows,
              't.id = r.id AND t.body IS NOT NULL',
            )
          : dialect.updateFrom(
              attempts,
              ['answer = NULL'],
              this.#withDeliveries(rows),
              't.delivery_id = d.id AND t.answer IS NOT NULL',
            ),
      parameters: [parameter],
    });
    const { time, id } = found.at(-1)!;
    this.#expunged[what] = { time: Number(time), id: id as string };
    return found.length === BATCH;
  }

  #listed(found: readonly Row[]) {
    return idRows(
      this.#database.dialect,
      found.map(({ id }) => id),
    );
  }

  #withDeliveries(rows: string): string {
    return `${rows} ${this.#database.dialect.join} ${this.#tables.deliveries} d ON d.message_id = r.id`;
  }

  /** Messages without anything that is under way, oldest first. */
  async #finished(
    before: number,
    after: { readonly time: number; readonly id: string },
  ): Promise<readonly Row[]> {
    const { messages, deliveries } = this.#tables;
    const { rows } = await this.#database.run({
      sql: `SELECT m.id, m.time FROM ${messages} m WHERE m.time >= ? AND (m.time > ? OR m.id > ?) AND m.time < ? AND m.due_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM ${deliveries} d WHERE d.message_id = m.id AND (d.due_at IS NOT NULL OR d.finished_at >= ?))
        ORDER BY m.time, m.id LIMIT ${BATCH}`,
      parameters: [after.time, after.time, after.id, before, before],
    });
    return rows;
  }
}
