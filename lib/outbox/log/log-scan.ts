import { setImmediate } from 'node:timers/promises';
import { firstIdAt, timeFromId } from '../../common/id.js';
import type { DeliveryStatus } from '../../delivery/index.js';
import { patternMatches } from '../../subscriber/index.js';
import { type DeliveryRecord, parseDeliveryRow } from '../tables/delivery-record.js';
import {
  countWaiting,
  type LogCondition,
  type LogRange,
  selectNewest,
} from '../tables/delivery-log.js';
import { isOfMessages, type MessageCursor, rangesOf, withMessageId } from '../tables/keys.js';
import {
  EVERY_DELIVERY,
  HAS_FAILED,
  hasId,
  hasMessage,
  hasStatus,
  isAbout,
  isOfSubscriber,
  isOfSubscribers,
  isWaiting,
  mayMatch,
  MOST_BRANCHES,
} from '../tables/log-conditions.js';
import { selectAbout, selectTime } from '../tables/messages.js';
import type { OutboxStore } from '../store/outbox-store.js';
import type { DeliveryQuery } from './delivery-query.js';
import { FIRST_STEP, lowestIdOf, stepAfter } from './log-steps.js';

/** The part of a query that deliveries are selected by. */
export interface LogSelection extends Pick<
  DeliveryQuery,
  'deliveryId' | 'messageId' | 'status' | 'event' | 'subject'
> {
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
/** Milliseconds that a step should take: SQLite answers it on the event loop. */
const STEP_TIME = 4;
/** Milliseconds after which a scan takes no further step. */
const SCAN_TIME = 8;
/** Messages about a subject in the first step, and the most of a later one. */
const FIRST_MESSAGES = 10;
const MOST_MESSAGES = 200;
/** Later than every message. */
const LATEST = Number.MAX_SAFE_INTEGER;
/** No limit: all deliveries of the messages of a step are looked at. */
const EVERY = 1_000_000_000;

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
  const end = performance.now() + SCAN_TIME;
  if (selection.subject !== undefined && !isOfOne(selection)) {
    return [await scanAbout(store, selection, selection.subject, range, limit, end)];
  }
  const scans: ScannedLog[] = [];
  for (const part of await partsOf(store, selection)) {
    scans.push(await scan(store, part, selection.event, range, limit, end));
  }
  return scans;
}

/** Tells whether a selection is of one delivery or one message, whose rows are few. */
function isOfOne({ deliveryId, messageId }: LogSelection): boolean {
  return deliveryId !== undefined || messageId !== undefined;
}

/** Goes through the messages about a subject, newest first, and their deliveries. */
async function scanAbout(
  store: OutboxStore,
  selection: LogSelection,
  subject: string,
  range: LogRange,
  limit: number,
  end: number,
): Promise<ScannedLog> {
  const { subscribers, status, event } = selection;
  const filters = [
    ...(subscribers === undefined ? [] : [isOfSubscribers(store, subscribers)]),
    ...(status === undefined ? [] : [hasStatus(status)]),
    ...(event === undefined || event === '*' ? [] : [mayMatch(event)]),
  ];
  const since = range.from === undefined ? 0 : timeFromId(range.from);
  const items: DeliveryRecord[] = [];
  let size = FIRST_MESSAGES;
  let before = range.before;
  for (;;) {
    const until = before === undefined ? LATEST : timeFromId(before);
    const { messages, lowestId } = await newestAbout(store, subject, since, until, size);
    const part = { from: range.from, before };
    const found: DeliveryRecord[] = [];
    for (const set of rangesOf(messages)) {
      const branch = { ...isOfMessages(set), few: EVERY };
      const newest = selectNewest(store, [branch], filters, part, limit, EVERY);
      found.push(...(await store.database.run(newest)).rows.map(parseDeliveryRow));
    }
    const shown = newestFirst(found).slice(0, limit);
    items.push(...shown.filter((item) => event === undefined || patternMatches(event, item.event)));
    const reached = shown.length < limit ? lowestId : shown.at(-1)!.id;
    if (items.length >= limit || reached === null || performance.now() > end) {
      return { items, lowestId: reached };
    }
    size = Math.min(size * 2, MOST_MESSAGES);
    before = reached;
    // SQLite answers without yielding to the event loop.
    await setImmediate();
  }
}

/**
 * Finds the newest messages about a subject, all of each millisecond: ids of deliveries begin with it.
 *
 * @returns also the id down to which their deliveries are all that there are; null: there are no further messages
 */
async function newestAbout(
  store: OutboxStore,
  subject: string,
  since: number,
  until: number,
  size: number,
): Promise<{ readonly messages: readonly MessageCursor[]; readonly lowestId: string | null }> {
  const { rows } = await store.database.run(selectAbout(store, subject, since, until, size));
  const messages = rows.map((row) => ({ id: withMessageId(row).id, time: Number(row.time) }));
  if (messages.length < size) return { messages, lowestId: null };
  const { time } = messages.at(-1)!;
  const later = messages.filter((message) => message.time > time);
  return later.length === 0
    ? newestAbout(store, subject, since, until, size * 2)
    : { messages: later, lowestId: firstIdAt('dlv_', time + 1) };
}

async function scan(
  store: OutboxStore,
  { ways, status }: LogPart,
  event: string | undefined,
  range: LogRange,
  limit: number,
  end: number,
): Promise<ScannedLog> {
  const isWanted = (item: DeliveryRecord) =>
    (event === undefined || patternMatches(event, item.event)) &&
    (status === undefined || item.status === status);
  const items: DeliveryRecord[] = [];
  let rows = FIRST_STEP;
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
    rows = stepAfter(rows, now - began, STEP_TIME);
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
  { subscribers, deliveryId, messageId, status, event, subject }: LogSelection,
): Promise<readonly LogPart[]> {
  const others = [
    ...(event === undefined || event === '*' ? [] : [mayMatch(event)]),
    ...(subject === undefined ? [] : [isAbout(store, subject)]),
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
  if (status === undefined || status === 'succeeded') {
    return [{ ways: waysAlong(store, subscribers, [...ofStatus, ...others]), status }];
  }
  if (status === 'pending') {
    const few = await fewWaiting(store, subscribers, others);
    const ways = few ?? waysAlong(store, subscribers, [hasStatus('pending'), ...others]);
    // A failed delivery that holds its key has a due time as well.
    return [{ ways, status }];
  }
  const ways: ScanPlan[] = [{ branches: HAS_FAILED, filters: [...own, ...others] }];
  if (subscribers !== undefined) {
    ways.push(...waysAlong(store, subscribers, [hasStatus('failed'), ...others]));
  }
  return [{ ways, status }];
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
  // InnoDB has the primary key in every index.
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

/** The deliveries of all parts of a search, as far back as each of them was searched. */
export function pageOf(scans: readonly ScannedLog[], limit: number): DeliveryPage {
  const lowestIds = scans.flatMap(({ lowestId }) => lowestId ?? []);
  const lowestId = lowestIds.sort().at(-1) ?? '';
  const found = newestFirst(scans.flatMap(({ items }) => items).filter(({ id }) => id >= lowestId));
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? items.at(-1)!.id : lowestId || null };
}

function newestFirst(items: readonly DeliveryRecord[]): DeliveryRecord[] {
  return [...items].sort((one, other) => (one.id < other.id ? 1 : -1));
}
