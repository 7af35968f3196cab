import { firstIdAt } from '../../common/id.js';
import type { Columns, Dialect, Statement } from '../database/dialect.js';
import type { OutboxDatabase, Row } from '../database/outbox-database.js';
import type { TableNames } from '../entities/table-names.js';
import { keyOf } from '../tables/keys.js';
import type { DeliveryStats } from '../tables/delivery-record.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { isAmong } from './replay.js';

/** Counts the outstanding work over all data sources. */
export async function readStats(
  stores: readonly OutboxStore[],
  now: number,
): Promise<DeliveryStats> {
  const rows = await Promise.all(stores.map(({ log }) => log.stats(now)));
  const total = (name: string) => rows.reduce((count, row) => count + Number(row[name]), 0);
  const times = rows
    .flatMap((row) => [row['oldest_delivery'], row['oldest_message']])
    .filter((time) => time !== null)
    .map(Number);
  const oldestDue = times.length === 0 ? null : Math.min(...times);
  return {
    pending: total('pending') - total('holding'),
    due: total('due'),
    leased: total('leased'),
    rateLimited: total('rate_limited'),
    blocked: total('blocked'),
    holding: total('holding'),
    failed: total('failed'),
    pendingMessages: total('pending_messages'),
    dueMessages: total('due_messages'),
    oldestDue,
    lag: oldestDue === null ? 0 : now - oldestDue,
  };
}

/** A day in UTC, in milliseconds. */
export const DAY = 24 * 60 * 60_000;

/** Figures of one subscriber's deliveries, as a chart needs them. */
export interface DeliveryFigures {
  /** Deliveries that an attempt was answered 2xx for. */
  readonly succeeded: number;
  /** Deliveries that failed for good, or were cancelled. */
  readonly failed: number;
  /** Deliveries that have not ended. */
  readonly pending: number;
  /** The share of finished deliveries that succeeded, 0 to 1; null when none has finished. */
  readonly successRate: number | null;
  /** The median duration of answered requests, in milliseconds; null without an answered request. */
  readonly p50: number | null;
  /** The 95th percentile of the duration, otherwise as `p50`. */
  readonly p95: number | null;
}

/** {@link DeliveryFigures} of the deliveries created on one day, and of the requests begun on that day. */
export interface DeliveryDay extends DeliveryFigures {
  /** The first millisecond of the UTC day, since the Unix epoch. */
  readonly day: number;
}

/** The result of {@link Deliveries.history}. */
export interface DeliveryHistory {
  readonly total: DeliveryFigures;
  /** Deliveries of any day that currently wait for the subscriber's rate limit. */
  readonly rateLimited: number;
  /** Every day, the oldest first. */
  readonly days: readonly DeliveryDay[];
}

const RANGES: Columns = { bucket: 'bigint', low: 'uuid', high: 'uuid' };

const dayOf = (column: string) => `${column} - (${column} % ${DAY})`;

/** A database that contains deliveries, and the names of its tables. */
export interface DeliveryPlace {
  readonly database: OutboxDatabase;
  readonly tables: TableNames;
}

/**
 * Reads the figures of a subscriber's deliveries since the start of a day, over all databases. Percentiles need all
 * databases together, so each database returns the number of requests per duration.
 */
export async function readHistory(
  places: readonly DeliveryPlace[],
  subscriber: string,
  since: number,
  until: number,
  events: readonly string[] | undefined,
): Promise<DeliveryHistory> {
  const parameters = [keyOf('sub_', subscriber), keyOf('dlv_', firstIdAt('dlv_', since))];
  const starts: number[] = [];
  for (let day = since; day <= until; day += DAY) starts.push(day);
  const read = await Promise.all(
    places.flatMap(({ database, tables }) => [
      database.run(countsIn(database.dialect, tables, parameters[0]!, starts, events)),
      database.run({
        sql: durationsIn(tables, events),
        parameters: [...parameters, ...parameters],
      }),
      database.run({ sql: rateLimitedIn(tables, events), parameters: [parameters[0]] }),
    ]),
  );
  const rows = (kind: number) =>
    read.flatMap((one, at) => (at % 3 === kind ? rowsOf(one.rows, events) : []));
  const [counts, durations] = [byDay(rows(0)), byDay(rows(1))];
  const days = starts.map<DeliveryDay>((day) => ({
    day,
    ...figuresOf(counts.get(day) ?? [], durations.get(day) ?? []),
  }));
  return {
    total: figuresOf([...counts.values()].flat(), [...durations.values()].flat()),
    rateLimited: amountOf(rows(2)),
    days,
  };
}

/** A day is a range of ids: they begin with the time. */
function countsIn(
  dialect: Dialect,
  { deliveries }: TableNames,
  subscriber: string,
  starts: readonly number[],
  events: readonly string[] | undefined,
): Statement {
  const first = (time: number) => keyOf('dlv_', firstIdAt('dlv_', time));
  const days = starts.map((day) => ({ bucket: day, low: first(day), high: first(day + DAY) }));
  return {
    sql: `SELECT r.bucket, d.status${eventColumn('d', events)}, COUNT(*) AS amount FROM ${dialect.rows('r', RANGES)} ${dialect.join} ${deliveries} d
      ON d.subscriber_id = ? AND d.id >= r.low AND d.id < r.high GROUP BY r.bucket, d.status${eventColumn('d', events)}`,
    parameters: [dialect.rowsParameter(RANGES, days), subscriber],
  };
}

/** Requests without an answer are left out: their duration says nothing about the endpoint. */
function durationsIn(tables: TableNames, events: readonly string[] | undefined): string {
  const { deliveries, attempts } = tables;
  const [event, ofDelivery] = [eventColumn('a', events), eventColumn('d', events)];
  return `SELECT ${dayOf('a.started_at')} AS bucket, a.duration${event}, COUNT(*) AS amount FROM (
      SELECT d.started_at, d.duration${ofDelivery}
        FROM ${deliveries} d WHERE d.subscriber_id = ? AND d.id >= ? AND d.response_status IS NOT NULL
      UNION ALL SELECT o.started_at, o.duration${ofDelivery} FROM ${deliveries} d JOIN ${attempts} o ON o.delivery_id = d.id
        WHERE d.subscriber_id = ? AND d.id >= ? AND o.status IS NOT NULL
    ) a GROUP BY ${dayOf('a.started_at')}, a.duration${event}`;
}

function rateLimitedIn({ deliveries }: TableNames, events: readonly string[] | undefined): string {
  const event = eventColumn('d', events);
  const groups = event === '' ? '' : `GROUP BY ${event.slice(1)}`;
  return `SELECT COUNT(d.permit_at) AS amount${event} FROM ${deliveries} d WHERE d.subscriber_id = ? AND d.due_at IS NOT NULL ${groups}`;
}

/** The column that {@link rowsOf} looks at, with the comma before it. @param events undefined: all, and no column */
function eventColumn(table: string, events: readonly string[] | undefined): string {
  return events === undefined ? '' : `, ${table}.event`;
}

/** Leaves out rows of other events. Databases cannot: they differ in what LIKE compares. */
export function rowsOf(
  rows: readonly Row[],
  events: readonly string[] | undefined,
): readonly Row[] {
  return events === undefined ? rows : rows.filter(({ event }) => isAmong(event as string, events));
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

/** The shortest duration that `percent` of 100 requests do not exceed; null without requests. */
export function percentile(sorted: readonly Row[], percent: number): number | null {
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
