import { Expunger } from './expunger.js';
import type { OutboxDatabase, Row } from '../database/outbox-database.js';
import type { OutboxSettings } from '../model/outbox-options.js';
import type { MessageRemoval } from './message-removal.js';
import { retentionLimits } from './retention-limits.js';
import type { TableNames } from '../entities/table-names.js';

const BATCH = 200;

/** Deletes old, finished messages in small batches, which keeps locks short. */
export class RetentionSweeper {
  readonly #bodies: Expunger;
  readonly #responses: Expunger;

  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
    private readonly removal: MessageRemoval,
    private readonly settings: OutboxSettings,
  ) {
    this.#bodies = new Expunger(database, tables, (ids) => removal.bodies(ids));
    this.#responses = new Expunger(database, tables, (ids) => removal.responses(ids));
  }

  /**
   * Deletes and expunges one batch.
   *
   * @returns whether there may be more
   */
  async step(now: number): Promise<boolean> {
    const { messages, bodies, responses } = retentionLimits(this.settings, now);
    const deleted = await this.#delete(messages);
    let mayBeMore = deleted === BATCH;
    if (bodies > messages) mayBeMore = (await this.#bodies.step(bodies)) || mayBeMore;
    if (responses > messages) mayBeMore = (await this.#responses.step(responses)) || mayBeMore;
    return mayBeMore;
  }

  async #delete(before: number): Promise<number> {
    const found = await this.#finished(before);
    await this.removal.messages(found.map(({ id }) => id as string));
    return found.length;
  }

  /** Messages without anything that is under way, oldest first. */
  async #finished(before: number): Promise<readonly Row[]> {
    const { messages, deliveries } = this.tables;
    const { rows } = await this.database.run({
      sql: `SELECT m.id FROM ${messages} m WHERE m.time < ? AND m.due_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM ${deliveries} d WHERE d.message_id = m.id AND (d.due_at IS NOT NULL OR d.finished_at >= ?))
        ORDER BY m.time, m.id LIMIT ${BATCH}`,
      parameters: [before, before],
    });
    return rows;
  }
}
