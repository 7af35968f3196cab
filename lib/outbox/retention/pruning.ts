import type { Batch } from '../../common/long-work.js';
import { type MessageCursor, parseCursor, formatCursor } from '../tables/message-cursor.js';
import type { OutboxDatabase, Row } from '../database/outbox-database.js';
import type { OutboxSettings } from '../model/outbox-options.js';
import type { MessageRemoval } from './message-removal.js';
import { type RetentionLimits, retentionLimits } from './retention-limits.js';
import type { TableNames } from '../entities/table-names.js';

/** The counts of {@link Maintenance.prune} for messages, or with `dryRun` the expected counts. */
export interface PruneCounts {
  /** Messages that were looked at. */
  readonly checked: number;
  /** Messages that were deleted, with their deliveries and attempts. */
  readonly deleted: number;
  /** Messages that were kept, without their body. */
  readonly bodies: number;
  /** Messages that were kept, without what endpoints have answered to them. */
  readonly responses: number;
  /** Old messages that were left, because something of them is under way. */
  readonly open: number;
}

/** One pass of {@link PrunePass}. */
export interface PrunePassOptions {
  readonly now: number;
  /** Finished messages from before that time are deleted; null: as old as the settings say. */
  readonly before: number | null;
  readonly dryRun: boolean;
}

/** Nothing was looked at. */
export const NOTHING_PRUNED: PruneCounts = {
  checked: 0,
  deleted: 0,
  bodies: 0,
  responses: 0,
  open: 0,
};

const BATCH = 200;

/**
 * Goes through the old messages of a data source once, oldest first, and drops what may go. What a worker's `Retention`
 * does in its spare time, for who wants to see it done.
 */
export class PrunePass {
  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
    private readonly removal: MessageRemoval,
    private readonly settings: OutboxSettings,
  ) {}

  /** @param after the `next` of the batch before, or null */
  async batch(
    { now, before, dryRun }: PrunePassOptions,
    after: string | null,
  ): Promise<Batch<PruneCounts>> {
    const settings = retentionLimits(this.settings, now);
    const limits = before === null ? settings : { ...settings, messages: before };
    const rows = await this.#rows(
      limits,
      after === null ? { time: 0, id: '' } : parseCursor(after),
    );
    const kept = rows.filter((row) => !isBefore(row, limits.messages));
    const found = {
      messages: rows.filter((row) => isBefore(row, limits.messages)),
      bodies: kept.filter((row) => Number(row['has_body']) === 1 && isBefore(row, limits.bodies)),
      responses: kept.filter(
        (row) => Number(row['has_responses']) === 1 && isBefore(row, limits.responses),
      ),
    };
    if (!dryRun) {
      await this.removal.messages(idsOf(found.messages));
      await this.removal.bodies(idsOf(found.bodies));
      await this.removal.responses(idsOf(found.responses));
    }
    return {
      counts: {
        checked: rows.length,
        deleted: found.messages.length,
        bodies: found.bodies.length,
        responses: found.responses.length,
        open: rows.filter((row) => finishedAt(row) === null).length,
      },
      next: rows.length < BATCH ? null : formatCursor(rows.at(-1)!),
    };
  }

  async #rows(
    { messages: oldest, bodies, responses }: RetentionLimits,
    { time, id }: MessageCursor,
  ): Promise<readonly Row[]> {
    const { messages, deliveries, attempts } = this.tables;
    const of = `FROM ${deliveries} d WHERE d.message_id = m.id`;
    const { rows } = await this.database.run({
      sql: `SELECT m.id, m.time, CASE WHEN m.body IS NULL THEN 0 ELSE 1 END AS has_body,
          CASE WHEN EXISTS (SELECT 1 ${of} AND (d.response IS NOT NULL OR d.answer_headers IS NOT NULL OR EXISTS (SELECT 1 FROM ${attempts} a WHERE a.delivery_id = d.id AND (a.response IS NOT NULL OR a.answer_headers IS NOT NULL)))) THEN 1 ELSE 0 END AS has_responses,
          CASE WHEN m.due_at IS NULL AND NOT EXISTS (SELECT 1 ${of} AND d.due_at IS NOT NULL) THEN 0 ELSE 1 END AS is_open,
          (SELECT MAX(d.finished_at) ${of}) AS finished_at
        FROM ${messages} m WHERE m.time >= ? AND (m.time > ? OR m.id > ?) AND m.time < ? ORDER BY m.time, m.id LIMIT ${BATCH}`,
      parameters: [time, time, id, Math.max(oldest, bodies, responses)],
    });
    return rows;
  }
}

/**
 * The time at which the last of a message's deliveries was finished, at the earliest the send time; null while one is
 * unfinished.
 */
function finishedAt(row: Row): number | null {
  if (Number(row['is_open']) === 1) return null;
  return Math.max(Number(row['time']), Number(row['finished_at'] ?? 0));
}

function isBefore(row: Row, moment: number): boolean {
  const time = finishedAt(row);
  return time !== null && time < moment;
}

function idsOf(rows: readonly Row[]): readonly string[] {
  return rows.map(({ id }) => id as string);
}
