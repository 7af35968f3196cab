import { setImmediate } from 'node:timers/promises';
import { firstIdAt } from '../../common/id.js';
import type { Row } from '../../database/sql-client.js';
import { DAY } from '../retention/retention-pass.js';
import {
  type AttemptCount,
  countAttempts,
  countDeliveries,
  countRateLimited,
  countStates,
  type DeliveryCount,
} from '../tables/delivery-log.js';
import type { DeliveryStats } from '../tables/delivery-record.js';
import { idFrom } from '../tables/keys.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { attemptFiguresOf } from './attempt-figures.js';
import { everythingOf } from './log-scan.js';
import { byBucket, countedSince, LOG_BOUNDS, lookInSteps } from './log-steps.js';

/** Counts the outstanding work. */
export async function readStats(store: OutboxStore, now: number): Promise<DeliveryStats> {
  const row = await statesIn(store, now);
  const total = (name: string) => Number(row[name]);
  const [oldest] = [
    { time: row['oldest_delivery'], id: row['oldest_id'] },
    { time: row['oldest_message'], id: null },
  ]
    .filter(({ time }) => time !== null)
    .sort((one, other) => Number(one.time) - Number(other.time));
  const oldestDue = oldest === undefined ? null : Number(oldest.time);
  const oldestId = oldest?.id ?? null;
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
    oldestDelivery: oldestId === null ? null : idFrom('dlv_', oldestId, null),
    lag: oldestDue === null ? 0 : now - oldestDue,
  };
}

async function statesIn(store: OutboxStore, now: number): Promise<Row> {
  const found: Row[] = [];
  for (const statement of countStates(store, now)) {
    found.push((await store.database.run(statement)).rows[0]!);
    // SQLite answers without yielding to the event loop.
    await setImmediate();
  }
  return Object.assign({}, ...found) as Row;
}

/** Figures of one subscriber's deliveries, as a chart needs them. */
export interface DeliveryFigures {
  /** Deliveries that an attempt was answered 2xx for. */
  readonly succeeded: number;
  /** Deliveries that failed for good, or were cancelled. */
  readonly failed: number;
  /** Deliveries that have not ended. */
  readonly pending: number;
  /** Requests that have ended. */
  readonly attempts: number;
  /** Requests that were not answered 2xx. */
  readonly failedAttempts: number;
  /** The share of attempts that succeeded, 0 to 1; null without an attempt. */
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
  /** False where not all deliveries were counted. */
  readonly isComplete: boolean;
}

/** The result of {@link Deliveries.history}. */
export interface DeliveryHistory {
  readonly total: DeliveryFigures;
  /**
   * Deliveries from then on were counted, in milliseconds since the Unix epoch. Later than the first day where
   * there are too many.
   */
  readonly countedSince: number;
  /** Deliveries of any day that currently wait for the subscriber's rate limit, up to 100,000. */
  readonly rateLimited: number;
  /** Every day, the oldest first. */
  readonly days: readonly DeliveryDay[];
}

/** Reads the figures of a subscriber's deliveries since the start of a day. */
export async function readHistory(
  store: OutboxStore,
  subscriber: string,
  since: number,
  until: number,
): Promise<DeliveryHistory> {
  const starts: number[] = [];
  for (let day = since; day <= until; day += DAY) starts.push(day);
  const { branches } = everythingOf(store, [subscriber]);
  // A day is a range of ids: they begin with the time.
  const buckets = starts.map((day) => ({
    bucket: day,
    low: firstIdAt('dlv_', day),
    high: firstIdAt('dlv_', day + DAY),
  }));
  const range = { from: buckets[0]!.low, before: buckets.at(-1)!.high };
  const { database } = store;
  const [deliveryRows, attemptRows]: [DeliveryCount[], AttemptCount[]] = [[], []];
  const lowestId = await lookInSteps(store, branches, range, LOG_BOUNDS, async (part) => {
    const ofDeliveries = countDeliveries(store, branches[0]!, part, buckets);
    deliveryRows.push(...(await database.run(ofDeliveries)).rows);
    attemptRows.push(...(await database.run(countAttempts(store, branches, [], part, DAY))).rows);
  });
  const waiting = await database.run(countRateLimited(store, branches[0]!, until));
  const complete = countedSince(lowestId, since);
  const [deliveries, attempts] = [byBucket(deliveryRows), byBucket(attemptRows)];
  const days = starts.map<DeliveryDay>((day) => ({
    day,
    isComplete: day >= complete,
    ...figuresOf(deliveries.get(day) ?? [], attempts.get(day) ?? []),
  }));
  return {
    total: figuresOf([...deliveries.values()].flat(), [...attempts.values()].flat()),
    countedSince: complete,
    rateLimited: Number(waiting.rows[0]!.amount),
    days,
  };
}

function figuresOf(
  deliveries: readonly DeliveryCount[],
  attempts: readonly AttemptCount[],
): DeliveryFigures {
  const count = (status: string) => amountOf(deliveries.filter((row) => row.status === status));
  const { attempts: all, succeeded, failed, p50, p95 } = attemptFiguresOf(attempts);
  return {
    succeeded: count('succeeded'),
    failed: count('failed'),
    pending: count('pending'),
    attempts: all,
    failedAttempts: failed,
    successRate: all === 0 ? null : succeeded / all,
    p50,
    p95,
  };
}

function amountOf(rows: readonly DeliveryCount[]): number {
  return rows.reduce((sum, { amount }) => sum + Number(amount), 0);
}
