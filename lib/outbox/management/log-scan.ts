import { FAILURE_REASONS } from '../../delivery/index.js';
import { patternMatches } from '../../subscriber/index.js';
import { idRows } from '../../database/dialect.js';
import { type AnswerClass, FAILING_CLASSES } from '../model/answer-class.js';
import { type DeliveryRecord, latestOf } from '../tables/delivery-record.js';
import { keyOf } from '../tables/keys.js';
import type { LogCondition, LogPageTable, LogRange } from '../tables/log-page-table.js';
import type { DeliveryQuery } from './delivery-query.js';

/** The part of a query that deliveries are selected by. */
export interface LogSelection extends Pick<
  DeliveryQuery,
  'deliveryId' | 'messageId' | 'status' | 'event' | 'statusClass'
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

/** A way to find deliveries: along branches, leaving out those that the filters do not hold for. */
export interface ScanPlan {
  readonly branches: readonly LogCondition[];
  readonly filters: readonly LogCondition[];
  /** Rows of a branch that one step looks at. Default: a share of {@link STEP_ROWS}; all at once without filters. */
  readonly rows?: number;
}

/** Owners with more subscribers are searched along the log of all: each branch is a part of the statement. */
const MOST_BRANCHES = 100;
/** The number of waiting deliveries that are sorted on request: their indexes are not in the order of ids. */
const FEW_WAITING = 2000;
/** The same where the index has the ids as well, so that the rows of a page alone are read. */
const FEW_IDS_WAITING = 10_000;
/** Deliveries that one step looks at, and the steps of a page. */
const STEP_ROWS = 4000;
const MOST_STEPS = 4;
/** Waiting deliveries that one step reads to filter them, where the index has the ids. */
const FILTERED_ROWS = 500;
/** Milliseconds after which a scan takes no further step. */
const STEP_TIME = 20;
const ALL: LogCondition = { sql: '', parameters: [] };

/**
 * Finds the newest deliveries of a selection in bounded time. What no index selects is looked for in steps of some
 * thousand deliveries; after a few of them the scan ends, and says how far it has come.
 */
export async function scanLog(
  pages: LogPageTable,
  selection: LogSelection,
  range: LogRange,
  limit: number,
): Promise<ScannedLog> {
  let best: ScannedLog | null = null;
  for (const plan of await plansFor(pages, selection, limit)) {
    const found = await scan(pages, plan, selection, range, limit);
    if (found.lowestId === null || found.items.length >= limit) return found;
    if (best === null || found.lowestId < best.lowestId!) best = found;
  }
  return best ?? { items: [], lowestId: null };
}

async function scan(
  pages: LogPageTable,
  { branches, filters, rows }: ScanPlan,
  { event }: LogSelection,
  range: LogRange,
  limit: number,
): Promise<ScannedLog> {
  const isWanted = (item: DeliveryRecord) =>
    event === undefined || patternMatches(event, item.event);
  if (filters.length === 0 && rows === undefined) {
    const items = await pages.newest(branches, filters, range, limit);
    return { items, lowestId: items.length < limit ? null : items.at(-1)!.id };
  }
  const items: DeliveryRecord[] = [];
  const each = rows ?? Math.ceil(STEP_ROWS / branches.length);
  const end = performance.now() + STEP_TIME;
  let before = range.before;
  for (let step = 1; ; step++) {
    const lowestId = await pages.lowestIdOf(branches, { from: range.from, before }, each);
    const part = { from: lowestId ?? range.from, before };
    const found = await pages.newest(branches, filters, part, limit);
    items.push(...found.filter(isWanted));
    // Some of them may be no match after all: what is older has not been looked at.
    const reached = found.length < limit ? lowestId : found.at(-1)!.id;
    if (items.length >= limit || reached === null) return { items, lowestId: reached };
    if (step >= MOST_STEPS || performance.now() > end) return { items, lowestId: reached };
    before = [reached];
  }
}

async function plansFor(
  pages: LogPageTable,
  { subscribers, deliveryId, messageId, status, event, statusClass }: LogSelection,
  limit: number,
): Promise<readonly ScanPlan[]> {
  const others = [
    ...(event === undefined || event === '*' ? [] : [eventFilter(event)]),
    ...(statusClass === undefined ? [] : [classFilter(pages, statusClass)]),
  ];
  const ofStatus: readonly LogCondition[] =
    status === undefined ? [] : [{ sql: 'd.status = ?', parameters: [status] }];
  const own = subscribers === undefined ? [] : [subscriberFilter(pages, subscribers)];
  if (deliveryId !== undefined) {
    const one = { sql: 'd.id = ?', parameters: [keyOf('dlv_', deliveryId)] };
    const ofMessage =
      messageId === undefined
        ? []
        : [{ sql: 'd.message_id = ?', parameters: [keyOf('msg_', messageId)] }];
    return [{ branches: [one], filters: [...ofMessage, ...own, ...ofStatus, ...others] }];
  }
  if (messageId !== undefined) {
    const ofMessage = await pages.isOfMessage(messageId);
    if (ofMessage === null) return [];
    return [{ branches: [ofMessage], filters: [...own, ...ofStatus, ...others] }];
  }
  const all = everythingOf(pages, subscribers);
  const everything = { ...all, filters: [...all.filters, ...ofStatus, ...others] };
  const isFailing = status === undefined && FAILING_CLASSES.has(statusClass);
  if (status !== 'failed' && status !== 'pending' && !isFailing) return [everything];
  // InnoDB has the primary key in every index.
  const isIdIndexed = pages.dialect.name === 'mysql';
  const isWaiting = status === 'pending';
  const waiting = status === 'failed' ? null : waitingBranch(own);
  if (waiting !== null) {
    // An owner of many subscribers has no index of what waits for them.
    if (all.filters.length > 0) return [everything];
    // A class of answers is in no index: rows are read of all that wait.
    const most = isIdIndexed && isWaiting ? FEW_IDS_WAITING : FEW_WAITING;
    if (!(await pages.isFewWaiting(waiting, most))) return [everything];
  }
  const indexed = {
    branches: [...(isWaiting ? [] : FAILED), ...(waiting === null ? [] : [waiting])],
    filters: [...(isWaiting ? [] : own), ...others],
    // Sorted by the index, without the rows before the page's.
    ...(isIdIndexed && isWaiting && { rows: others.length === 0 ? limit : FILTERED_ROWS }),
  };
  // Either the failures of others or the successes of these subscribers may be many.
  return isWaiting || subscribers === undefined ? [indexed] : [indexed, everything];
}

/** The way to all deliveries of subscribers. */
export function everythingOf(
  pages: LogPageTable,
  subscribers: readonly string[] | undefined,
): ScanPlan {
  if (subscribers === undefined) return { branches: [ALL], filters: [] };
  return subscribers.length <= MOST_BRANCHES
    ? { branches: subscribers.map(subscriberBranch), filters: [] }
    : { branches: [ALL], filters: [subscriberFilter(pages, subscribers)] };
}

const FAILED: readonly LogCondition[] = FAILURE_REASONS.map((reason) => ({
  sql: `d.reason = '${reason}'`,
  parameters: [],
}));

/** What waits, few enough to be sorted: one branch, whatever the number of subscribers. */
function waitingBranch(own: readonly LogCondition[]): LogCondition {
  return {
    // A comparison tells SQLite without statistics which index to use.
    sql: [...own.map(({ sql }) => sql), 'd.due_at > 0'].join(' AND '),
    parameters: own.flatMap(({ parameters }) => parameters),
    isSorted: true,
    // A failed delivery that holds its key has a time as well.
    unindexed: "d.status = 'pending'",
  };
}

function subscriberBranch(id: string): LogCondition {
  return { sql: 'd.subscriber_id = ?', parameters: [keyOf('sub_', id)] };
}

function subscriberFilter({ dialect }: LogPageTable, subscribers: readonly string[]): LogCondition {
  const keys = subscribers.map((id) => keyOf('sub_', id));
  if (keys.length <= MOST_BRANCHES) {
    // MariaDB would sort all rows that it looks for in a table of ids.
    const sql = `d.subscriber_id IN (${keys.map(() => '?').join(', ')})`;
    return { sql, parameters: keys };
  }
  const { rows, parameter } = idRows(dialect, keys);
  return { sql: `d.subscriber_id IN (SELECT r.id FROM ${rows})`, parameters: [parameter] };
}

/** For a pattern more than matches: databases differ in what LIKE compares, and a wildcard within is one segment alone. */
function eventFilter(event: string): LogCondition {
  return event.includes('*')
    ? { sql: 'd.event LIKE ?', parameters: [event.replaceAll('*', '%')] }
    : { sql: 'd.event = ?', parameters: [event] };
}

function classFilter({ names }: LogPageTable, statusClass: AnswerClass): LogCondition {
  const [status, error] = [latestOf(names, 'status'), latestOf(names, 'error_code')];
  switch (statusClass) {
    case 'timeout':
      return { sql: `${error} = 'timeout'`, parameters: [] };
    case 'error':
      return {
        sql: `d.status <> 'succeeded' AND (${error} <> 'timeout' OR ${status} NOT BETWEEN 200 AND 599)`,
        parameters: [],
      };
    case 'none':
      return {
        sql: `d.status <> 'succeeded' AND ${status} IS NULL AND ${error} IS NULL`,
        parameters: [],
      };
    case '2xx':
      return { sql: `(d.status = 'succeeded' OR ${status} BETWEEN 200 AND 299)`, parameters: [] };
    default: {
      const first = Number(statusClass[0]) * 100;
      return {
        sql: `d.status <> 'succeeded' AND ${status} BETWEEN ${first} AND ${first + 99}`,
        parameters: [],
      };
    }
  }
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
