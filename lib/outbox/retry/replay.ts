import { setImmediate } from 'node:timers/promises';
import { wants } from '../../dispatch/index.js';
import { hasEnded, hostOf } from '../../message/index.js';
import { isActive, patternMatches, type Subscriber } from '../../subscriber/index.js';
import { type Batch, sumOf } from '../../common/long-work.js';
import { type Candidate, parseCandidateRow } from '../tables/delivery-record.js';
import { readable, type RecipientSources, UNREADABLE } from './current-hosts.js';
import { backfill } from './backfill.js';
import { orderOf, reopen, type ReplayCounts } from './reopen.js';
import { queuesOfSubscriber } from '../wait/key-queue-pages.js';
import {
  checkPosition,
  cursorOf,
  deliveryId,
  FIRST_KEY,
  formatCursor,
  idFrom,
  keyOf,
  type MessageCursor,
  parseCursor,
  withMessageId,
} from '../tables/keys.js';
import {
  type FailedQuery,
  selectFailed,
  selectFailedEnd,
  selectReasons,
} from '../tables/delivery-log.js';
import { selectMessagesBehind } from '../tables/messages.js';
import type { MessageRow } from '../tables/table-names.js';
import type { BackfilledDelivery, KeyQueue } from '../tables/deliveries.js';
import type { ReplayOperation } from '../tables/bulk-operations.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** The result of a bulk operation, or with `dryRun` the expected result. */
export interface ReplaySummary extends ReplayCounts {
  /** Pass this as `after` to resume; null when the work is complete. */
  readonly next: string | null;
  /** Says why a backfill may have found nothing. */
  readonly note?: string;
}

export interface ReplayDependencies extends RecipientSources {
  /** Gives the first delivery of each queue its turn. */
  promote(queues: readonly KeyQueue[]): void;
}

/** What callers have resent a short while ago. */
export interface RecentlyResent {
  has(id: string): boolean;
  add(ids: readonly string[]): void;
}

/** The result of one batch. */
export type ReplayBatch = Batch<ReplayCounts>;

/** The range of failed deliveries to retry. */
export interface FailedRange {
  readonly subscriber: string;
  readonly from: string;
  readonly before: string;
  /** Patterns of events; undefined for all. */
  readonly events: readonly string[] | undefined;
}

/** The subscriber to backfill, and the time range. */
export interface MissedRange {
  readonly subscriber: Subscriber;
  readonly since: number;
  readonly until: number;
  /** Patterns of events; undefined for all. */
  readonly events: readonly string[] | undefined;
}

/** Deliveries of one step of {@link readFailed}. */
const MOST_FAILED_LOOKED_AT = 5000;
/** Rows per read and write: few enough to keep row locks short. */
const BATCH = 500;
const BODIES_AT_ONCE = 50;

/**
 * Makes one batch of failed deliveries and waiting retries due. Ordered deliveries get no turn before the last batch.
 *
 * @param after the `next` of the previous batch, or null
 */
export async function replayFailed(
  store: OutboxStore,
  { subscriber, from, before, events }: FailedRange,
  after: string | null,
  tools: ReplayDependencies,
  { now, dryRun, resent }: { now: number; dryRun: boolean; resent: RecentlyResent | undefined },
): Promise<ReplayBatch> {
  checkPosition(after, 'call');
  const behind = after ?? `dlv_${FIRST_KEY}`;
  const query = { subscriber, from, before, after: behind, limit: BATCH, now };
  const { found, next } = await readFailed(store, query);
  const asked = found.filter(({ event }) => isAmong(event, events));
  const left = asked.filter(({ id }) => resent?.has(id) !== true);
  const { counts, ids } = await reopen(store, left, tools, { now, dryRun, isWaitingToo: true });
  if (!dryRun) resent?.add(ids);
  if (next === null && !dryRun) await release(store, subscriber, 'retryFailed', tools);
  return { counts: { ...counts, resent: asked.length - left.length }, next };
}

/** Makes one delivery due, and gives its queue a turn. */
export async function replayOne(
  store: OutboxStore,
  candidate: Candidate,
  tools: ReplayDependencies,
  now: number,
): Promise<ReplayCounts> {
  const how = { now, dryRun: false, isWaitingToo: true };
  const { counts, queues } = await reopen(store, [candidate], tools, how);
  tools.promote(queues);
  return counts;
}

/**
 * Creates the deliveries that a subscriber missed within one batch of messages, and reopens deliveries that ended because
 * the subscriber was disabled or had expired. Ordered deliveries get no turn before the last batch.
 *
 * @param after the `next` of the previous batch, or null
 */
export async function replayMissed(
  store: OutboxStore,
  { subscriber, since, until, events }: MissedRange,
  after: string | null,
  tools: ReplayDependencies,
  now: number,
  dryRun: boolean,
): Promise<ReplayBatch> {
  const cursor = after === null ? { time: since, id: `msg_${FIRST_KEY}` } : parseCursor(after);
  const rows = await messagesBehind(store, subscriber.id, cursor, until);
  const asked = rows.filter((row) => isAmong(row.event, events));
  const missed = asked.filter((row) => row.delivery === null && isFor(row, subscriber));
  const released = missed.filter((row) => Number(row.is_under_way) === 0);
  const complete = released.filter((row) => Number(row.is_expunged) === 0);
  const { wanted, unreadable } = await filterByCondition(store, complete, subscriber);
  const open = isActive(subscriber) && !hasEnded(subscriber, now) ? wanted : [];
  const late = open.map<BackfilledDelivery>((row) => ({
    id: deliveryId(cursorOf(row), subscriber.id),
    messageId: row.id,
    subscriberId: subscriber.id,
    event: row.event,
    host: hostOf(subscriber),
    dueAt: now,
    order: subscriber.ordered ? orderOf(row) : null,
  }));
  const added = dryRun ? late.length : await backfill(store, late);
  const ended = asked.filter(({ reason }) => reason === 'disabled' || reason === 'expired');
  const again = await reopen(
    store,
    ended.map((row) => ({
      id: row.delivery!,
      messageId: row.id,
      subscriberId: subscriber.id,
      event: row.event,
      isExpunged: Number(row.is_expunged) === 1,
    })),
    tools,
    { now, dryRun, isWaitingToo: false },
  );
  const next = rows.length < BATCH ? null : formatCursor(cursorOf(rows.at(-1)!));
  if (next === null && !dryRun) await release(store, subscriber.id, 'backfill', tools);
  return {
    counts: sumOf(again.counts, {
      scheduled: added,
      expunged: released.length - complete.length,
      disabled: wanted.length - open.length,
      underWay: missed.length - released.length + late.length - added + unreadable,
      resent: 0,
    }),
    next,
  };
}

/**
 * Lets no ordered delivery of a subscriber have its turn before the end of a bulk operation: a later batch may bring what is
 * earlier.
 */
export async function holdQueues(
  store: OutboxStore,
  subscriber: string,
  operation: ReplayOperation,
  now: number,
): Promise<void> {
  await store.bulkOperations.mark(keyOf('sub_', subscriber), operation, now);
}

/** Gives turns, now that everything is there that a bulk operation puts into queues. */
async function release(
  store: OutboxStore,
  subscriber: string,
  operation: ReplayOperation,
  tools: ReplayDependencies,
): Promise<void> {
  const subscriberId = keyOf('sub_', subscriber);
  await store.bulkOperations.unmark(subscriberId, operation);
  let after: string | null = null;
  do {
    const { queues, last } = await queuesOfSubscriber(store, subscriberId, after);
    tools.promote(queues);
    after = last;
    // SQLite answers without a turn of the event loop.
    await setImmediate();
  } while (after !== null);
}

/** The counts of an empty batch. */
export const NOTHING: ReplayCounts = {
  scheduled: 0,
  expunged: 0,
  disabled: 0,
  underWay: 0,
  resent: 0,
};

/** True when a pattern matches the event, or there are none. */
export function isAmong(event: string, patterns: readonly string[] | undefined): boolean {
  return patterns?.some((pattern) => patternMatches(pattern, event)) ?? true;
}

/**
 * Reads failed deliveries and waiting retries, oldest first; cancelled deliveries are left out.
 *
 * @returns `next` is the `after` of the deliveries that were not looked at; null when there are none
 */
async function readFailed(
  store: OutboxStore,
  query: FailedQuery,
): Promise<{ readonly found: readonly Candidate[]; readonly next: string | null }> {
  // Few of many may have failed, and SQLite answers on the event loop.
  const ends = await store.database.run(selectFailedEnd(store, query, MOST_FAILED_LOOKED_AT));
  const end = ends.rows[0]?.id;
  const { rows } = await store.database.run(selectFailed(store, query, end));
  const found = rows.map(parseCandidateRow);
  if (found.length === query.limit) return { found, next: found.at(-1)!.id };
  return { found, next: end === undefined ? null : idFrom('dlv_', end, null) };
}

/** Reads the messages behind the cursor, each with the subscriber's delivery, oldest first. */
async function messagesBehind(
  store: OutboxStore,
  subscriber: string,
  after: MessageCursor,
  until: number,
) {
  const { database } = store;
  const { rows } = await database.run(selectMessagesBehind(store, after, until, BATCH));
  const messages = rows.map((row) => {
    const named = withMessageId(row);
    return { ...named, delivery: deliveryId(cursorOf(named), subscriber) };
  });
  const ids = messages.map(({ delivery }) => delivery);
  const found = await database.run(selectReasons(store, ids));
  const reasons = new Map(found.rows.map(({ id, reason }) => [idFrom('dlv_', id, null), reason]));
  return messages.map((row) =>
    reasons.has(row.delivery)
      ? { ...row, reason: reasons.get(row.delivery)! }
      : { ...row, delivery: null, reason: null },
  );
}

/** True when the message would have gone to the subscriber. */
export function isFor(
  row: Pick<MessageRow, 'audience' | 'owner' | 'event'>,
  { owner, events, exclude }: Pick<Subscriber, 'owner' | 'events' | 'exclude'>,
): boolean {
  const isSeen = row.audience === 'everyone' || owner === null || owner === row.owner;
  const isMatch = (pattern: string) => patternMatches(pattern, row.event);
  return isSeen && events.some(isMatch) && !exclude.some(isMatch);
}

/** Filters messages by the subscriber's condition on their data. */
export async function filterByCondition<Filtered extends Pick<MessageRow, 'id'>>(
  store: OutboxStore,
  rows: readonly Filtered[],
  subscriber: Pick<Subscriber, 'exclude' | 'filter' | 'changed'>,
): Promise<{ readonly wanted: readonly Filtered[]; readonly unreadable: number }> {
  if (subscriber.filter === null && subscriber.changed === null)
    return { wanted: rows, unreadable: 0 };
  const wanted = new Set<unknown>();
  let unreadable = 0;
  for (let at = 0; at < rows.length; at += BODIES_AT_ONCE) {
    const ids = rows.slice(at, at + BODIES_AT_ONCE).map(({ id }) => id);
    for (const row of await store.messages.load(ids)) {
      // A condition needs only the body, which is readable even when the message's own subscribers are not.
      const message = readable(store, { ...row, recipients: '[]' });
      if (message === UNREADABLE) unreadable++;
      else if (message !== null && wants(subscriber, message)) wanted.add(row.id);
    }
  }
  return { wanted: rows.filter(({ id }) => wanted.has(id)), unreadable };
}
