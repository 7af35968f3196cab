import { newId } from '../../common/index.js';
import { wants } from '../../dispatch/index.js';
import { hostOf } from '../../message/index.js';
import { isActive, patternMatches, type Subscriber } from '../../subscriber/index.js';
import type { Batch } from '../../common/long-work.js';
import type { Candidate } from '../tables/delivery-record.js';
import { currentHostsOf, readable, type RecipientSources, UNREADABLE } from './current-hosts.js';
import type { BackfilledDelivery, RequeuedDelivery } from '../tables/requeue-table.js';
import { cursorOf, cursorText } from '../tables/message-cursor.js';
import type { Row } from '../database/outbox-database.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** What became of the deliveries that were looked at; with `dryRun`, what would. */
export interface ReplayCounts {
  /** Deliveries that were made due. */
  readonly scheduled: number;
  /** Not, because the body of their message was dropped. */
  readonly expunged: number;
  /** Not, because their subscriber is disabled or removed. */
  readonly disabled: number;
  /** Not, because a worker has them, or has yet to make them; or their message cannot be read now. */
  readonly underWay: number;
}

/** What a bulk verb did, or with `dryRun` would do. */
export interface ReplaySummary extends ReplayCounts {
  /** Where to go on: pass it as `after`. Null: everything was looked at. */
  readonly next: string | null;
}

/** What one batch did. */
export type ReplayBatch = Batch<ReplayCounts>;

/** Which failed deliveries are tried again. */
export interface FailedRange {
  readonly subscriber: string;
  readonly from: string;
  readonly before: string;
}

/** The subscriber who gets what it has missed, and from when to when. */
export interface MissedRange {
  readonly subscriber: Subscriber;
  readonly since: number;
  readonly until: number;
}

/** So many rows are looked at, and written, at once: small enough that nobody waits for their locks. */
const BATCH = 500;
const BODIES_AT_ONCE = 50;

/**
 * Makes one batch of deliveries due whose attempts failed: those that ended so, and those whose next attempt is yet to
 * come.
 *
 * @param after the `next` of the batch before, or the empty text
 */
export async function replayFailed(
  store: OutboxStore,
  { subscriber, from, before }: FailedRange,
  after: string,
  tools: RecipientSources,
  now: number,
  dryRun: boolean,
): Promise<ReplayBatch> {
  const found = await store.log.failed({ subscriber, from, before, after, limit: BATCH, now });
  return {
    counts: await reopen(store, found, tools, now, dryRun, true),
    next: found.length < BATCH ? null : found.at(-1)!.id,
  };
}

/** Makes finished deliveries due, as far as there is still something to send and somebody to send it to. */
export async function reopen(
  store: OutboxStore,
  candidates: readonly Candidate[],
  tools: RecipientSources,
  now: number,
  dryRun: boolean,
  isWaitingToo = false,
): Promise<ReplayCounts> {
  const complete = candidates.filter(({ isExpunged }) => !isExpunged);
  const hosts = await currentHostsOf(store, complete, tools);
  const revivals = complete.flatMap<RequeuedDelivery>(({ id }) => {
    const host = hosts.get(id);
    return host === undefined ? [] : [{ id, host, dueAt: now }];
  });
  const scheduled = dryRun ? revivals.length : await store.revivals.reopen(revivals, isWaitingToo);
  return {
    scheduled,
    expunged: candidates.length - complete.length,
    disabled: complete.length - revivals.length,
    // Somebody else was faster.
    underWay: revivals.length - scheduled,
  };
}

/**
 * Makes deliveries of one batch of messages that the subscriber has missed, or that ended because it was disabled.
 *
 * @param after the `next` of the batch before, or null
 */
export async function replayMissed(
  store: OutboxStore,
  { subscriber, since, until }: MissedRange,
  after: string | null,
  tools: RecipientSources,
  now: number,
  dryRun: boolean,
): Promise<ReplayBatch> {
  const cursor = after === null ? { time: since, id: '' } : cursorOf(after);
  const rows = await store.log.messages(subscriber.id, cursor, until, BATCH);
  const missed = rows.filter((row) => row['delivery'] === null && isFor(row, subscriber));
  const settled = missed.filter((row) => Number(row['is_under_way']) === 0);
  const complete = settled.filter((row) => Number(row['is_expunged']) === 0);
  const { wanted, unreadable } = await wantedOf(store, complete, subscriber);
  const open = isActive(subscriber) ? wanted : [];
  const late = open.map<BackfilledDelivery>((row) => ({
    id: newId('dlv_', now),
    messageId: row['id'] as string,
    subscriberId: subscriber.id,
    event: row['event'] as string,
    host: hostOf(subscriber),
    dueAt: now,
  }));
  const added = dryRun ? late.length : await store.revivals.add(late);
  const ended = rows.filter(({ reason }) => reason === 'disabled');
  const again = await reopen(
    store,
    ended.map((row) => ({
      id: row['delivery'] as string,
      messageId: row['id'] as string,
      subscriberId: subscriber.id,
      isExpunged: Number(row['is_expunged']) === 1,
    })),
    tools,
    now,
    dryRun,
  );
  return {
    counts: sum(again, {
      scheduled: added,
      expunged: settled.length - complete.length,
      disabled: wanted.length - open.length,
      underWay: missed.length - settled.length + late.length - added + unreadable,
    }),
    next: rows.length < BATCH ? null : cursorText(rows.at(-1)!),
  };
}

/** Nothing was looked at. */
export const NOTHING: ReplayCounts = { scheduled: 0, expunged: 0, disabled: 0, underWay: 0 };

export function sum(one: ReplayCounts, other: ReplayCounts): ReplayCounts {
  return {
    scheduled: one.scheduled + other.scheduled,
    expunged: one.expunged + other.expunged,
    disabled: one.disabled + other.disabled,
    underWay: one.underWay + other.underWay,
  };
}

/** Whether a message would have gone to the subscriber. */
function isFor(row: Row, { owner, events, exclude }: Subscriber): boolean {
  const isSeen = row['audience'] === 'everyone' || owner === null || owner === row['owner'];
  const isMatch = (pattern: string) => patternMatches(pattern, row['event'] as string);
  return isSeen && events.some(isMatch) && !exclude.some(isMatch);
}

/** Those of the messages whose data the subscriber's filter holds for. */
async function wantedOf(
  store: OutboxStore,
  rows: readonly Row[],
  subscriber: Subscriber,
): Promise<{ readonly wanted: readonly Row[]; readonly unreadable: number }> {
  if (subscriber.filter === null) return { wanted: rows, unreadable: 0 };
  const wanted = new Set<unknown>();
  let unreadable = 0;
  for (let at = 0; at < rows.length; at += BODIES_AT_ONCE) {
    const ids = rows.slice(at, at + BODIES_AT_ONCE).map(({ id }) => id as string);
    for (const row of await store.messages.load(ids)) {
      // A filter looks at the body, which can be read when the message's own subscribers cannot.
      const message = readable(store, { ...row, recipients: '[]' });
      if (message === UNREADABLE) unreadable++;
      else if (message !== null && wants(subscriber, message)) wanted.add(row['id']);
    }
  }
  return { wanted: rows.filter(({ id }) => wanted.has(id)), unreadable };
}
