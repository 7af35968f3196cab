import { setImmediate } from 'node:timers/promises';
import type { DeliveryStatus } from '../../delivery/index.js';
import { patternMatches } from '../../subscriber/index.js';
import { type DeliveryRecord, parseDeliveryRow } from '../tables/delivery-record.js';
import {
  countWaiting,
  type LogCondition,
  type LogRange,
  selectNewest,
} from '../tables/delivery-log.js';
import { isOfMessages } from '../tables/keys.js';
import {
  EVERY_DELIVERY,
  HAS_FAILED,
  hasAnswerClass,
  hasId,
  hasMessage,
  hasStatus,
  hasValue,
  isOfSubscriber,
  isOfSubscribers,
  isWaiting,
  mayMatch,
  MOST_BRANCHES,
  type TimeRange,
  wasAttempted,
} from '../tables/log-conditions.js';
import { selectTime } from '../tables/messages.js';
import type { OutboxStore } from '../store/outbox-store.js';
import type { DeliveryQuery } from './delivery-query.js';
import { FIRST_STEP, lowestIdOf, stepAfter } from './log-steps.js';

/** The part of a query that deliveries are selected by. */
export interface LogSelection extends Pick<
  DeliveryQuery,
  'deliveryId' | 'messageId' | 'status' | 'event' | 'statusClass' | 'value'
> {
  /** Undefined: whenever they were attempted. */
  readonly attempted: TimeRange | undefined;
  /** Undefined: those of all subscribers. */
  readonly subscribers: readonly string[] | undefined;
}

/** The result of a scan. */
export interface ScannedLog {
  /** Newest first. */
  readonly items: readonly DeliveryRecord[];
  /** The scan has found everything down to this id; null: everything there is. */
  readonly lowestId: string | null;
}

/** A way to deliveries: along branches, leaving out deliveries that do not match the filters. */
export interface ScanPlan {
  readonly branches: readonly LogCondition[];
  readonly filters: readonly LogCondition[];
}

/** Deliveries that no other part has, and the ways to them. */
interface LogPart {
  readonly ways: readonly ScanPlan[];
  /** The state that they are in; undefined for any. */
  readonly status: DeliveryStatus | undefined;
}

/** The number of waiting deliveries that are sorted on request: their indexes are not in the order of ids. */
const FEW_WAITING = 2000;
/** The same where the index has the ids as well, so that the rows of a page alone are read. */
const FEW_IDS_WAITING = 10_000;
/** How a log is gone through: SQLite answers a step on the event loop. */
interface Pace {
  /** Deliveries of the first step. */
  readonly first: number;
  /** Milliseconds that a step should take. */
  readonly step: number;
  /** Milliseconds after which a scan takes no further step. */
  readonly all: number;
}
const PACE: Pace = { first: FIRST_STEP, step: 4, all: 8 };
/** A search reads the body of each message, which may be long. */
const SEARCH_PACE: Pace = { first: FIRST_STEP / 10, step: 20, all: 40 };

/**
 * Finds the newest deliveries of a selection in bounded time. What no index selects is looked for in steps; after some
 * milliseconds the scan ends, and says how far it has come.
 */
export async function scanLog(
  store: OutboxStore,
  selection: LogSelection,
  range: LogRange,
  limit: number,
): Promise<readonly ScannedLog[]> {
  const pace = selection.value === undefined ? PACE : SEARCH_PACE;
  const end = performance.now() + pace.all;
  const scans: ScannedLog[] = [];
  for (const part of await partsOf(store, selection)) {
    scans.push(await scan(store, part, selection.event, range, limit, pace, end));
  }
  return scans;
}

async function scan(
  store: OutboxStore,
  { ways, status }: LogPart,
  event: string | undefined,
  range: LogRange,
  limit: number,
  pace: Pace,
  end: number,
): Promise<ScannedLog> {
  const isWanted = (item: DeliveryRecord) =>
    (event === undefined || patternMatches(event, item.event)) &&
    (status === undefined || item.status === status);
  const items: DeliveryRecord[] = [];
  let rows = pace.first;
  let before = range.before;
  for (;;) {
    const began = performance.now();
    const { way, each, lowestId } = await furthest(store, ways, { from: range.from, before }, rows);
    const part = { from: lowestId ?? range.from, before };
    const newest = selectNewest(store, way.branches, way.filters, part, limit, each);
    const found = (await store.database.run(newest)).rows.map(parseDeliveryRow);
    items.push(...found.filter(isWanted));
    // Some of them may be no match after all, because older rows have not been looked at.
    const reached = found.length < limit ? lowestId : found.at(-1)!.id;
    const now = performance.now();
    if (items.length >= limit || reached === null || now > end) return { items, lowestId: reached };
    rows = stepAfter(rows, now - began, pace.step);
    before = reached;
    // SQLite answers without yielding to the event loop.
    await setImmediate();
  }
}

/**
 * Finds the way on which so many rows go back furthest. One index has few of a subscriber among the failures of all, another
 * few failures among the deliveries of the subscriber, and which it is changes along the log.
 */
async function furthest(
  store: OutboxStore,
  ways: readonly ScanPlan[],
  range: LogRange,
  rows: number,
) {
  let best: { way: ScanPlan; each: number; lowestId: string | null } | undefined;
  for (const way of ways) {
    const each = Math.ceil(rows / way.branches.length);
    // Without filters the first rows are the rows of the page, and a few rows are looked at whole.
    const isWhole = way.filters.length === 0 || way.branches.some(({ few }) => few !== undefined);
    const lowestId = isWhole ? null : await lowestIdOf(store, way.branches, range, each);
    if (lowestId === null) return { way, each, lowestId };
    if (best === undefined || lowestId < best.lowestId!) best = { way, each, lowestId };
  }
  return best!;
}

async function partsOf(
  store: OutboxStore,
  {
    subscribers,
    deliveryId,
    messageId,
    status,
    event,
    statusClass,
    attempted,
    value,
  }: LogSelection,
): Promise<readonly LogPart[]> {
  const isUnsuccessful = statusClass !== undefined && statusClass !== '2xx';
  if (status === 'succeeded' && isUnsuccessful) return [];
  const others = [
    ...(event === undefined || event === '*' ? [] : [mayMatch(event)]),
    ...(statusClass === undefined ? [] : [hasAnswerClass(store, statusClass)]),
    ...(attempted === undefined ? [] : [wasAttempted(store, attempted)]),
    // The last one, because it reads another row.
    ...(value === undefined ? [] : [hasValue(store, value)]),
  ];
  const own = subscribers === undefined ? [] : [isOfSubscribers(store, subscribers)];
  const ofStatus = status === undefined ? [] : [hasStatus(status)];
  if (deliveryId !== undefined) {
    const ofMessage = messageId === undefined ? [] : [hasMessage(messageId)];
    const filters = [...ofMessage, ...own, ...ofStatus, ...others];
    return [{ ways: [{ branches: [hasId(deliveryId)], filters }], status }];
  }
  if (messageId !== undefined) {
    const [message] = (await store.database.run(selectTime(store, messageId))).rows;
    if (message === undefined) return [];
    const ofMessage = isOfMessages([{ id: messageId, time: Number(message.time) }]);
    const filters = [...own, ...ofStatus, ...others];
    return [{ ways: [{ branches: [ofMessage], filters }], status }];
  }
  if (status === undefined ? !isUnsuccessful : status === 'succeeded') {
    return [{ ways: waysAlong(store, subscribers, [...ofStatus, ...others]), status }];
  }
  const parts: LogPart[] = [];
  if (status !== 'failed') {
    const few = await fewWaiting(store, subscribers, others);
    const ways = few ?? waysAlong(store, subscribers, [hasStatus('pending'), ...others]);
    // A failed delivery that holds its key has a due time as well.
    parts.push({ ways, status: 'pending' });
  }
  if (status !== 'pending') {
    const ways: ScanPlan[] = [{ branches: HAS_FAILED, filters: [...own, ...others] }];
    if (subscribers !== undefined) {
      ways.push(...waysAlong(store, subscribers, [hasStatus('failed'), ...others]));
    }
    parts.push({ ways, status: 'failed' });
  }
  return parts;
}

/** The ways to all deliveries of subscribers for which the filters hold. */
function waysAlong(
  store: OutboxStore,
  subscribers: readonly string[] | undefined,
  filters: readonly LogCondition[],
): ScanPlan[] {
  const way = everythingOf(store, subscribers);
  const ways = [{ ...way, filters: [...way.filters, ...filters] }];
  // Where one of many subscribers has most of the deliveries, the log of all goes back further.
  if (way.branches.length > 1) {
    ways.push({
      branches: [EVERY_DELIVERY],
      filters: [isOfSubscribers(store, subscribers!), ...filters],
    });
  }
  return ways;
}

/** The way to what waits for subscribers; null when that is more than can be sorted. */
async function fewWaiting(
  store: OutboxStore,
  subscribers: readonly string[] | undefined,
  others: readonly LogCondition[],
): Promise<readonly ScanPlan[] | null> {
  const own = subscribers === undefined ? [] : [isOfSubscribers(store, subscribers)];
  const isIndexed = subscribers === undefined || subscribers.length <= MOST_BRANCHES;
  const conditions = isIndexed ? own : [];
  // InnoDB has the primary key in every index. A class of answers is in none: rows are read of all that wait.
  const isCovered = store.dialect.name === 'mysql' && isIndexed && others.length === 0;
  const few = isCovered ? FEW_IDS_WAITING : FEW_WAITING;
  const waiting = isWaiting(conditions, few);
  const counted = await store.database.run(countWaiting(store, waiting, few));
  if (Number(counted.rows[0]!.amount) >= few) return null;
  return [{ branches: [waiting], filters: [...(isIndexed ? [] : own), ...others] }];
}

/** The way to all deliveries of subscribers. */
export function everythingOf(
  store: OutboxStore,
  subscribers: readonly string[] | undefined,
): ScanPlan {
  if (subscribers === undefined) return { branches: [EVERY_DELIVERY], filters: [] };
  return subscribers.length <= MOST_BRANCHES
    ? { branches: subscribers.map(isOfSubscriber), filters: [] }
    : { branches: [EVERY_DELIVERY], filters: [isOfSubscribers(store, subscribers)] };
}

/** One page of the delivery log, newest first. */
export interface DeliveryPage {
  readonly items: readonly DeliveryRecord[];
  /** Pass this as `after` to read the next page; null on the last page. */
  readonly next: string | null;
}

/** The deliveries of all data sources, as far back as each of them was searched. */
export function pageOf(scans: readonly ScannedLog[], limit: number): DeliveryPage {
  const lowestIds = scans.flatMap(({ lowestId }) => lowestId ?? []);
  const lowestId = lowestIds.sort().at(-1) ?? '';
  const found = scans
    .flatMap(({ items }) => items)
    .filter(({ id }) => id >= lowestId)
    .sort((one, other) => (one.id < other.id ? 1 : -1));
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? items.at(-1)!.id : lowestId || null };
}
