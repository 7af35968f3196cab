import { ID } from './message-table.js';
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
    const ids = this.#database.dialect.rowsParameter(
      ID,
      found.map(({ id }) => ({ id })),
    );
    const listed = `SELECT r.id FROM ${this.#database.dialect.rows('r', ID)}`;
    const pending = `SELECT 1 FROM ${deliveries} p WHERE p.message_id = ${messages}.id`;
    await this.#database.execute([
      {
        sql: `DELETE FROM ${attempts} WHERE delivery_id IN (SELECT d.id FROM ${deliveries} d WHERE d.message_id IN (${listed}) AND d.due_at IS NULL)`,
        parameters: [ids],
      },
      {
        sql: `DELETE FROM ${deliveries} WHERE message_id IN (${listed}) AND due_at IS NULL`,
        parameters: [ids],
      },
      {
        sql: `DELETE FROM ${messages} WHERE id IN (${listed}) AND due_at IS NULL AND NOT EXISTS (${pending})`,
        parameters: [ids],
      },
    ]);
    return found.length;
  }

  async #expunge(what: 'body' | 'answer', before: number): Promise<boolean> {
    const { messages, deliveries, attempts } = this.#tables;
    const found = await this.#finished(before, this.#expunged[what]);
    if (found.length === 0) return false;
    const ids = this.#database.dialect.rowsParameter(
      ID,
      found.map(({ id }) => ({ id })),
    );
    const listed = `SELECT r.id FROM ${this.#database.dialect.rows('r', ID)}`;
    await this.#database.run({
      sql:
        what === 'body'
          ? `UPDATE ${messages} SET body = NULL WHERE id IN (${listed}) AND body IS NOT NULL`
          : `UPDATE ${attempts} SET answer = NULL WHERE answer IS NOT NULL AND delivery_id IN (SELECT d.id FROM ${deliveries} d WHERE d.message_id IN (${listed}))`,
      parameters: [ids],
    });
    const { time, id } = found.at(-1)!;
    this.#expunged[what] = { time: Number(time), id: id as string };
    return found.length === BATCH;
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
