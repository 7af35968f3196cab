import { setImmediate } from 'node:timers/promises';
import { timeFromId } from '../../common/id.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { type LogCondition, type LogRange, selectLowestId } from '../tables/delivery-log.js';
import { idFrom } from '../tables/keys.js';

/** How much of the log a report looks at. */
export interface StepBounds {
  /** Deliveries at most. */
  readonly rows: number;
  /** Milliseconds after which no further step is taken. */
  readonly time: number;
}

/** The bounds of one answer. */
export const LOG_BOUNDS: StepBounds = { rows: 200_000, time: 500 };

/** Deliveries of the first step, and the most of a later one. */
export const FIRST_STEP = 1000;
const MOST_STEP = 10_000;
/** Milliseconds that a step should take: SQLite answers on the event loop. */
const STEP_TIME = 25;
/** The same on a server, so that few steps are taken when it is busy. */
const SERVER_STEP_TIME = 100;
/** Rows of each branch in a step at least: the search for its end costs as much as some rows. */
const LEAST_OF_BRANCH = 10;

/**
 * Goes through the log from its newest deliveries on, in steps. Attempts are rows of their own, and rows may be on disk,
 * so that the size of a step follows from the time of the one before.
 *
 * @param look reads the rows that it needs of a step
 * @returns the id down to which everything was looked at; null: everything there is
 */
export async function lookInSteps(
  store: OutboxStore,
  branches: readonly LogCondition[],
  { from, before }: LogRange,
  bounds: StepBounds,
  look: (part: LogRange) => Promise<void>,
): Promise<string | null> {
  const end = performance.now() + bounds.time;
  const fit = store.dialect.name === 'sqlite' ? STEP_TIME : SERVER_STEP_TIME;
  let rows = FIRST_STEP;
  let part = before;
  for (let looked = rows; ; looked += rows) {
    const began = performance.now();
    const range = { from, before: part };
    const lowestId = await lowestIdOf(store, branches, range, Math.ceil(rows / branches.length));
    await look({ from: lowestId ?? from, before: part });
    const now = performance.now();
    if (lowestId === null || looked >= bounds.rows || now > end) return lowestId;
    rows = Math.max(stepAfter(rows, now - began, fit), LEAST_OF_BRANCH * branches.length);
    part = lowestId;
    // SQLite answers without yielding to the event loop.
    await setImmediate();
  }
}

/**
 * Finds the oldest id among the newest `rows` rows of each branch.
 *
 * @returns the id down to which no branch has more of them; null when none of the branches has more rows
 */
export async function lowestIdOf(
  store: OutboxStore,
  branches: readonly LogCondition[],
  range: LogRange,
  rows: number,
): Promise<string | null> {
  const { rows: found } = await store.database.run(selectLowestId(store, branches, range, rows));
  return found.length === 0 ? null : idFrom('dlv_', found[0]!.id, null);
}

/** The time from which on everything was looked at, when the steps ended at `lowestId`. @param since where they would end */
export function countedSince(lowestId: string | null, since: number): number {
  return lowestId === null ? since : timeFromId(lowestId) + 1;
}

/** Groups rows by their bucket. */
export function byBucket<Counted extends { readonly bucket: number | string }>(
  rows: readonly Counted[],
): ReadonlyMap<number, readonly Counted[]> {
  const buckets = new Map<number, Counted[]>();
  for (const row of rows) {
    const bucket = Number(row.bucket);
    const others = buckets.get(bucket);
    if (others === undefined) buckets.set(bucket, [row]);
    else others.push(row);
  }
  return buckets;
}

/** The rows of the next step. @param took milliseconds that the last one took @param fit the rows that a step should take */
export function stepAfter(rows: number, took: number, fit: number): number {
  const fitting = Math.round((rows * fit) / Math.max(took, 1));
  return Math.min(Math.max(fitting, FIRST_STEP / 10), rows * 2, MOST_STEP);
}
