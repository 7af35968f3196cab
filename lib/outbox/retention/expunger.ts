import { idRows } from '../database/dialect.js';
import { Fifo } from '../../common/fifo.js';
import type { OutboxDatabase, Row } from '../database/outbox-database.js';
import type { TableNames } from '../entities/table-names.js';

const BATCH = 200;
// Looking again at what was passed over is cheap, and shall not take for ever.
const AGAIN = 1000;
const MOST_LEFT = 100_000;
const START = { time: 0, id: '' };

/** Drops the bodies of finished messages, or what their endpoints have answered; the rows stay. */
export class Expunger {
  // The end of the last pass; finished work is not repeated.
  #last = START;
  // Messages that the pass left behind because they were not finished, such as a message that is retried for days.
  readonly #left = new Fifo<string>();

  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
    private readonly drop: (messages: readonly string[]) => Promise<void>,
  ) {}

  /**
   * Expunges one batch.
   *
   * @param before milliseconds since the Unix epoch: younger messages, and those that were finished since, are left
   * @returns whether there may be more
   */
  async step(before: number): Promise<boolean> {
    try {
      const again = await this.#again(before);
      const next = this.#left.length < MOST_LEFT ? await this.#next(before) : [];
      await this.#expunge([...again, ...next]);
      const last = next.at(-1);
      if (last !== undefined) this.#last = { time: Number(last['time']), id: last['id'] as string };
      return next.length === BATCH;
    } catch (error) {
      // From the beginning: what is done already is only looked at.
      this.#last = START;
      this.#left.removeAll();
      throw error;
    }
  }

  async #expunge(rows: readonly Row[]): Promise<void> {
    const finished: string[] = [];
    for (const { id, is_open: isOpen } of rows) {
      if (Number(isOpen) === 1) this.#left.push(id as string);
      else finished.push(id as string);
    }
    await this.drop(finished);
  }

  async #next(before: number): Promise<readonly Row[]> {
    const { time, id } = this.#last;
    const { rows } = await this.database.run({
      sql: `SELECT m.id, m.time, ${this.#openness()} FROM ${this.tables.messages} m WHERE m.time >= ? AND (m.time > ? OR m.id > ?) AND m.time < ? ORDER BY m.time, m.id LIMIT ${BATCH}`,
      parameters: [before, time, time, id, before],
    });
    return rows;
  }

  async #again(before: number): Promise<readonly Row[]> {
    const ids: string[] = [];
    while (ids.length < AGAIN && this.#left.length > 0) ids.push(this.#left.shift()!);
    if (ids.length === 0) return [];
    const { dialect } = this.database;
    const { rows: listed, parameter } = idRows(dialect, ids);
    const { rows } = await this.database.run({
      sql: `SELECT m.id, ${this.#openness()} FROM ${listed} ${dialect.join} ${this.tables.messages} m ON m.id = r.id`,
      parameters: [before, parameter],
    });
    return rows;
  }

  /** True for messages that are under way, or were until recently. */
  #openness(): string {
    return `CASE WHEN m.due_at IS NULL AND NOT EXISTS (SELECT 1 FROM ${this.tables.deliveries} d WHERE d.message_id = m.id AND (d.due_at IS NOT NULL OR d.finished_at >= ?)) THEN 0 ELSE 1 END AS is_open`;
  }
}
