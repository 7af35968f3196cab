import { firstIdAt } from '../../common/id.js';
import type { OutboxDatabase, Row } from '../database/outbox-database.js';
import type { TableNames } from '../entities/table-names.js';
import type { DeliveryStats } from '../tables/delivery-record.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** How much there is to do, over all data sources. */
export async function statsOf(stores: readonly OutboxStore[], now: number): Promise<DeliveryStats> {
  const rows = await Promise.all(stores.map(({ log }) => log.stats(now)));
  const total = (name: string) => rows.reduce((count, row) => count + Number(row[name]), 0);
  const times = rows
    .flatMap((row) => [row['oldest_delivery'], row['oldest_message']])
    .filter((time) => time !== null)
    .map(Number);
  const oldestDue = times.length === 0 ? null : Math.min(...times);
  return {
    pending: total('pending'),
    due: total('due'),
    leased: total('leased'),
    rateLimited: total('rate_limited'),
    failed: total('failed'),
    pendingMessages: total('pending_messages'),
    dueMessages: total('due_messages'),
    oldestDue,
    lag: oldestDue === null ? 0 : now - oldestDue,
  };
}

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
  /** Deliveries of any day that wait for the rate limit of the subscriber now. */
  readonly rateLimited: number;
  /** Every day, the oldest first. */
  readonly days: readonly DeliveryDay[];
}

const dayOf = (column: string) => `${column} - (${column} % ${DAY})`;

/** A database that deliveries are in, and the names of its tables. */
export interface DeliveryPlace {
  readonly database: OutboxDatabase;
  readonly tables: TableNames;
}

/**
 * Reads what became of a subscriber's deliveries since the beginning of a day, wherever they are: percentiles are of all
 * places together, which is why each of them tells how many requests took how long.
 */
export async function readHistory(
  places: readonly DeliveryPlace[],
  subscriber: string,
  since: number,
  until: number,
): Promise<DeliveryHistory> {
  const parameters = [subscriber, firstIdAt('dlv_', since)];
  const read = await Promise.all(
    places.flatMap(({ database, tables }) => [
      database.run({ sql: countsIn(tables), parameters }),
      database.run({ sql: durationsIn(tables), parameters }),
      database.run({ sql: rateLimitedIn(tables), parameters: [subscriber] }),
    ]),
  );
  const rows = (kind: number) => read.flatMap((one, at) => (at % 3 === kind ? one.rows : []));
  const [counts, durations] = [byDay(rows(0)), byDay(rows(1))];
  const days: DeliveryDay[] = [];
  for (let day = since; day <= until; day += DAY) {
    days.push({ day, ...figuresOf(counts.get(day) ?? [], durations.get(day) ?? []) });
  }
  return {
    total: figuresOf([...counts.values()].flat(), [...durations.values()].flat()),
    rateLimited: amountOf(rows(2)),
    days,
  };
}

function countsIn(tables: TableNames): string {
  return `SELECT ${dayOf('d.created_at')} AS bucket, d.status, COUNT(*) AS amount FROM ${tables.deliveries} d
    WHERE d.subscriber_id = ? AND d.id >= ? GROUP BY ${dayOf('d.created_at')}, d.status`;
}

/** Of requests without an answer the duration tells nothing of the endpoint. */
function durationsIn(tables: TableNames): string {
  return `SELECT ${dayOf('a.started_at')} AS bucket, a.duration, COUNT(*) AS amount
    FROM ${tables.attempts} a JOIN ${tables.deliveries} d ON d.id = a.delivery_id
    WHERE d.subscriber_id = ? AND d.id >= ? AND a.status IS NOT NULL
    GROUP BY ${dayOf('a.started_at')}, a.duration`;
}

function rateLimitedIn({ deliveries }: TableNames): string {
  return `SELECT COUNT(turn_at) AS amount FROM ${deliveries} WHERE subscriber_id = ? AND due_at IS NOT NULL`;
}

function byDay(rows: readonly Row[]): ReadonlyMap<number, readonly Row[]> {
  const days = new Map<number, Row[]>();
  for (const row of rows) {
    const day = Number(row['bucket']);
    const others = days.get(day);
    if (others === undefined) days.set(day, [row]);
    else others.push(row);
  }
  return days;
}

function figuresOf(counts: readonly Row[], durations: readonly Row[]): DeliveryFigures {
  const count = (status: string) => amountOf(counts.filter((row) => row['status'] === status));
  const [succeeded, failed, pending] = [count('succeeded'), count('failed'), count('pending')];
  const finished = succeeded + failed;
  const sorted = durations.toSorted((one, other) => durationOf(one) - durationOf(other));
  return {
    succeeded,
    failed,
    pending,
    successRate: finished === 0 ? null : succeeded / finished,
    p50: percentile(sorted, 50),
    p95: percentile(sorted, 95),
  };
}

/** The shortest duration that so many of 100 requests do not exceed; null for none. */
function percentile(sorted: readonly Row[], percent: number): number | null {
  const amount = amountOf(sorted);
  let place = 0;
  for (const row of sorted) {
    place += Number(row['amount']);
    if (place * 100 >= amount * percent) return durationOf(row);
  }
  return null;
}

function amountOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { amount }) => sum + Number(amount), 0);
}

function durationOf({ duration }: Row): number {
  return Number(duration);
}
