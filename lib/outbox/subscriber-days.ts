import { idsFrom } from '../common/id.js';
import type { OutboxDatabase, Row } from './outbox-database.js';
import type { TableNames } from './tables.js';

/** A day in UTC, in milliseconds. */
export const DAY = 24 * 60 * 60_000;

/** What became of one subscriber's deliveries; what a plot needs. */
export interface DeliveryFigures {
  readonly succeeded: number;
  readonly failed: number;
  readonly pending: number;
  /** 0 to 1, of those that are finished; null when none is. */
  readonly successRate: number | null;
  /** Half of the requests that were answered took no longer than so many milliseconds; null when none was. */
  readonly p50: number | null;
  /** As `p50`, 95 of 100 requests. */
  readonly p95: number | null;
}

/** {@link DeliveryFigures} of the deliveries that were made on one day, and the requests that began on it. */
export interface DeliveryDay extends DeliveryFigures {
  /** Its first millisecond in UTC, since the Unix epoch. */
  readonly day: number;
}

/** What {@link Deliveries.history} answers. */
export interface DeliveryHistory {
  readonly total: DeliveryFigures;
  /** Every day, the oldest first. */
  readonly days: readonly DeliveryDay[];
}

const dayOf = (column: string) => `${column} - (${column} % ${DAY})`;

/** Reads what became of a subscriber's deliveries since the beginning of a day. */
export async function readHistory(
  database: OutboxDatabase,
  tables: TableNames,
  subscriber: string,
  since: number,
  until: number,
): Promise<DeliveryHistory> {
  const parameters = [subscriber, idsFrom('dlv_', since)];
  const [counts, byDay, all] = await Promise.all([
    database.run({
      sql: `SELECT ${dayOf('d.created_at')} AS bucket, d.status, COUNT(*) AS amount FROM ${tables.deliveries} d
        WHERE d.subscriber_id = ? AND d.id >= ? GROUP BY ${dayOf('d.created_at')}, d.status`,
      parameters,
    }),
    database.run({ sql: percentiles(tables, dayOf('a.started_at')), parameters }),
    database.run({ sql: percentiles(tables, '0 * a.number'), parameters }),
  ]);
  const days: DeliveryDay[] = [];
  for (let day = since; day <= until; day += DAY) {
    const own = counts.rows.filter(({ bucket }) => Number(bucket) === day);
    const durations = byDay.rows.find(({ bucket }) => Number(bucket) === day);
    days.push({ day, ...figuresOf(own, durations) });
  }
  return { total: figuresOf(counts.rows, all.rows[0]), days };
}

/** Of requests without an answer the duration tells nothing of the endpoint. */
function percentiles(tables: TableNames, bucket: string): string {
  return `SELECT p.bucket, MIN(CASE WHEN p.place * 100 >= p.amount * 50 THEN p.duration END) AS p50,
      MIN(CASE WHEN p.place * 100 >= p.amount * 95 THEN p.duration END) AS p95
    FROM (SELECT ${bucket} AS bucket, a.duration,
        ROW_NUMBER() OVER (PARTITION BY ${bucket} ORDER BY a.duration) AS place,
        COUNT(*) OVER (PARTITION BY ${bucket}) AS amount
      FROM ${tables.attempts} a JOIN ${tables.deliveries} d ON d.id = a.delivery_id
      WHERE d.subscriber_id = ? AND d.id >= ? AND a.status IS NOT NULL) p
    GROUP BY p.bucket`;
}

function figuresOf(counts: readonly Row[], durations: Row | undefined): DeliveryFigures {
  const count = (status: string) =>
    counts
      .filter((row) => row['status'] === status)
      .reduce((sum, { amount }) => sum + Number(amount), 0);
  const [succeeded, failed, pending] = [count('succeeded'), count('failed'), count('pending')];
  const finished = succeeded + failed;
  return {
    succeeded,
    failed,
    pending,
    successRate: finished === 0 ? null : succeeded / finished,
    p50: numberOf(durations?.['p50']),
    p95: numberOf(durations?.['p95']),
  };
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
