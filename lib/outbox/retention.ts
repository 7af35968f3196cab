import { idRows } from './dialect.js';
import { Expunger } from './expunger.js';
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
  readonly #bodies: Expunger;
  readonly #answers: Expunger;

  constructor(database: OutboxDatabase, tables: TableNames, settings: OutboxSettings) {
    this.#database = database;
    this.#tables = tables;
    this.#settings = settings;
    this.#bodies = new Expunger(database, tables, 'body');
    this.#answers = new Expunger(database, tables, 'answer');
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
      mayBeMore = (await this.#bodies.step(now - payloadDays * DAY)) || mayBeMore;
    }
    if (answerDays < retentionDays) {
      mayBeMore = (await this.#answers.step(now - answerDays * DAY)) || mayBeMore;
    }
    return mayBeMore;
  }

  async #delete(before: number): Promise<number> {
    const { messages, deliveries, attempts } = this.#tables;
    const found = await this.#finished(before);
    if (found.length === 0) return 0;
    const { dialect } = this.#database;
    const { rows, parameter } = idRows(
      dialect,
      found.map(({ id }) => id),
    );
    const statement = (table: string, source: string, where: string) => ({
      sql: dialect.deleteFrom(table, source, where),
      parameters: [parameter],
    });
    await this.#database.execute([
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
    return found.length;
  }

  /** Messages without anything that is under way, oldest first. */
  async #finished(before: number): Promise<readonly Row[]> {
    const { messages, deliveries } = this.#tables;
    const { rows } = await this.#database.run({
      sql: `SELECT m.id FROM ${messages} m WHERE m.time < ? AND m.due_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM ${deliveries} d WHERE d.message_id = m.id AND (d.due_at IS NOT NULL OR d.finished_at >= ?))
        ORDER BY m.time, m.id LIMIT ${BATCH}`,
      parameters: [before, before],
    });
    return rows;
  }
}
