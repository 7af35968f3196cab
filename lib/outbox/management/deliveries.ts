import { Injectable } from '@nestjs/common';
import { Clock, isIdLike } from '../../common/index.js';
import { firstIdAt } from '../../common/id.js';
import { DeliveryLog, WebhookEvents } from '../../delivery/index.js';
import { DispatchStrategy, FanOut, UnheardEvents } from '../../dispatch/index.js';
import { InvalidInputError } from '../../errors/index.js';
import { NO_HOST } from '../../message/index.js';
import { checkScope, type OwnerScope, SubscriberRepository } from '../../subscriber/index.js';
import { runInBatches } from '../../common/long-work.js';
import {
  checkBulkOptions,
  checkListQuery,
  checkSelection,
  type DeliveryHistoryOptions,
  type DeliveryQuery,
  type ReplayOptions,
  timeFrom,
} from '../log/delivery-query.js';
import {
  parseCandidateRow,
  type DeliveryDetails,
  parseDeliveryRow,
  type DeliveryStats,
} from '../tables/delivery-record.js';
import { readStats, type DeliveryHistory, readHistory } from '../log/delivery-figures.js';
import { DAY } from '../retention/retention-pass.js';
import { type OutboxStrategy, requireOutbox } from '../strategy/outbox.strategy.js';
import {
  holdQueues,
  NOTHING,
  type RecentlyResent,
  replayOne,
  type ReplayBatch,
  type ReplayDependencies,
  replayFailed,
  replayMissed,
  type ReplaySummary,
} from '../retry/replay.js';
import type { ReplayOperation } from '../tables/bulk-operations.js';
import { type DeliveryPage, pageOf, scanLog } from '../log/log-scan.js';
import { parseAttemptRow, selectAttempts } from '../tables/attempts.js';
import { selectDelivery, selectTurn } from '../tables/delivery-log.js';
import { idFrom, pairOf } from '../tables/keys.js';
import { cancel } from '../record/cancel.js';
import { isVisible, visibleSubscribers } from '../log/subscriber-scope.js';

/** The maximum number of days that {@link Deliveries.history} covers. */
const MAX_DAYS = 90;

const UNHEARD =
  'Nothing was missed that is stored. Events that nobody is subscribed to are not stored unless they say keep: true.';

/**
 * The result of {@link Deliveries.retry}. `scheduled`: the delivery is due now, or once its turn has come. `under-way`: a
 * worker holds the delivery. `expunged`: the body of the message was dropped. `disabled`: the subscriber is disabled or
 * removed.
 */
export type RetryResult = 'scheduled' | 'under-way' | 'expunged' | 'disabled';

/** The result of {@link Deliveries.cancel}. `finished`: the delivery had already ended. */
export type CancelResult = 'cancelled' | 'under-way' | 'finished';

/**
 * The delivery log of `outbox()`: lists deliveries and attempts, and retries them. Injectable anywhere.
 *
 * A delivery is in it once its first attempt has ended, or when it has to wait for it. Methods take the scope of the
 * caller: `'any'` for the application's own code, `{ owner }` wherever an id comes from a user. For the caller,
 * deliveries outside of the scope do not exist. Only `stats()` takes no scope: it counts the deliveries of all owners.
 *
 * @example
 * ```ts
 * const { items } = await deliveries.list({ subscriberId: id, status: 'failed', limit: 20 }, { owner: user.id });
 * const { scheduled } = (await deliveries.retryFailed({ subscriberId: id, since: yesterday }, 'any'))!;
 * ```
 */
@Injectable()
export class Deliveries {
  /** @param unheard default: every message is stored */
  constructor(
    private readonly strategy: DispatchStrategy,
    private readonly subscribers: SubscriberRepository,
    private readonly fanOut: FanOut,
    private readonly events: WebhookEvents,
    private readonly log: DeliveryLog,
    private readonly clock: Clock,
    private readonly unheard?: UnheardEvents,
  ) {}

  /**
   * Lists one page of deliveries, newest first. With a filter that few of many deliveries pass, a page may end
   * early: it then has fewer than `limit` deliveries, or none, and a `next`.
   *
   * @throws {@link InvalidInputError} naming the invalid field
   */
  async list(query: DeliveryQuery, scope: OwnerScope): Promise<DeliveryPage> {
    checkListQuery(query);
    const { store } = await this.#outbox(scope);
    const { limit = 50, after = null, since, until, subscriberId } = query;
    const subscribers = await visibleSubscribers(this.subscribers, subscriberId, scope);
    if (subscribers?.length === 0) return { items: [], next: null };
    const range = {
      from: since === undefined ? undefined : firstIdAt('dlv_', timeFrom(since)),
      before: [
        ...(after === null ? [] : [after]),
        ...(until === undefined ? [] : [firstIdAt('dlv_', timeFrom(until))]),
      ].sort()[0],
    };
    return pageOf(await scanLog(store, { ...query, subscribers }, range, limit + 1), limit);
  }

  /** Finds a delivery with its attempts; null when `scope` does not contain the id. */
  async findById(id: string, scope: OwnerScope): Promise<DeliveryDetails | null> {
    const found = await this.#find(id, scope);
    if (found === null) return null;
    const { outbox, row } = found;
    const { store } = outbox;
    const attempts = await this.log.attemptsOf(id, async () =>
      (await store.database.run(selectAttempts(store, id))).rows.map(parseAttemptRow),
    );
    const delivery = parseDeliveryRow(row);
    const turn = delivery.blocked ? await store.database.run(selectTurn(store, row)) : null;
    const [head] = turn?.rows ?? [];
    const blockedBy = head === undefined ? null : idFrom('dlv_', head.id, null);
    const { isExpunged: expunged } = parseCandidateRow(row);
    return { ...delivery, blockedBy, expunged, attempts };
  }

  /**
   * Makes a delivery due now and restarts its retry policy. An ordered delivery waits for its turn. Works for succeeded
   * and waiting deliveries, too. The ids of the delivery and the message stay the same, so the receiver sees one more
   * attempt.
   *
   * @returns null when `scope` does not contain the id
   */
  async retry(id: string, scope: OwnerScope): Promise<RetryResult | null> {
    const found = await this.#find(id, scope);
    if (found === null) return null;
    const { outbox, row } = found;
    const { store } = outbox;
    const now = this.clock.now();
    const counts = await replayOne(store, parseCandidateRow(row), this.#replaying(outbox), now);
    if (counts.expunged > 0) return 'expunged';
    if (counts.disabled > 0) return 'disabled';
    if (counts.underWay > 0) return 'under-way';
    outbox.wake();
    return 'scheduled';
  }

  /**
   * Retries deliveries as {@link retry} does, one after the other. If a delivery cannot be retried, the others
   * are retried all the same.
   *
   * @param ids 1 to 100, each once
   * @returns what became of each, in the order of `ids`; null when `scope` does not contain the id
   * @throws {@link InvalidInputError} whose `field` is `ids`; nothing is retried then
   */
  async retrySelected(
    ids: readonly string[],
    scope: OwnerScope,
  ): Promise<readonly { readonly id: string; readonly result: RetryResult | null }[]> {
    checkSelection(ids);
    const results: { id: string; result: RetryResult | null }[] = [];
    for (const id of ids) results.push({ id, result: await this.retry(id, scope) });
    return results;
  }

  /**
   * Makes the failed deliveries of a subscriber due, of messages from `since` to `until`, oldest first. Cancelled deliveries
   * are left out. Waiting retries are brought forward. The work runs in batches and without a limit: stop it
   * with `signal`, and resume with the `next` of the result or of the last progress.
   *
   * @returns the counts; null when `scope` does not contain the subscriber
   * @throws {@link InvalidInputError} naming the invalid field
   */
  retryFailed(options: ReplayOptions, scope: OwnerScope): Promise<ReplaySummary | null> {
    return this.retryFailedExcept(undefined, options, scope);
  }

  /**
   * As {@link retryFailed}, without what was resent a short while ago.
   *
   * @internal
   */
  async retryFailedExcept(
    resent: RecentlyResent | undefined,
    options: ReplayOptions,
    scope: OwnerScope,
  ): Promise<ReplaySummary | null> {
    const { since, until } = checkBulkOptions(options, this.clock.now());
    const outbox = await this.#outbox(scope);
    const { subscriberId: subscriber, dryRun = false } = options;
    if (!(await this.#isVisible(subscriber, scope))) return null;
    const range = {
      subscriber,
      from: firstIdAt('dlv_', since),
      before: firstIdAt('dlv_', until),
      events: options.events,
    };
    return this.#replay(outbox, 'retryFailed', options, (after) => {
      const how = { now: this.clock.now(), dryRun, resent };
      return replayFailed(outbox.store, range, after, this.#replaying(outbox), how);
    });
  }

  /**
   * Sends a subscriber the messages that it missed while it was disabled. That is every matching message since then without
   * a delivery for
   * this subscriber, and every delivery that ended because the subscriber was disabled. Enable the subscriber first.
   * Messages from before the subscriber was created are never sent. Events that nobody was subscribed to are not stored,
   * unless they say `keep`: a disabled subscriber counts as subscribed. The work runs in batches, as in {@link
   * retryFailed}.
   *
   * @returns the counts; null when `scope` does not contain the subscriber
   * @throws {@link InvalidInputError} naming the invalid field
   */
  async backfill(options: ReplayOptions, scope: OwnerScope): Promise<ReplaySummary | null> {
    const range = checkBulkOptions(options, this.clock.now());
    const outbox = await this.#outbox(scope);
    const { subscriberId: subscriber, dryRun = false } = options;
    const found = isIdLike(subscriber) ? await this.subscribers.findById(subscriber, scope) : null;
    if (found === null) return null;
    const missed = {
      subscriber: found,
      since: Math.max(range.since, found.createdAt.getTime()),
      until: range.until,
      events: options.events,
    };
    const summary = await this.#replay(outbox, 'backfill', options, (after) =>
      replayMissed(outbox.store, missed, after, this.#replaying(outbox), this.clock.now(), dryRun),
    );
    return this.#isUnexplained(summary, options) ? { ...summary, note: UNHEARD } : summary;
  }

  /** Cancels a waiting delivery, or ends the hold of a failed one. @returns null when `scope` does not contain the id */
  async cancel(id: string, scope: OwnerScope): Promise<CancelResult | null> {
    const found = await this.#find(id, scope);
    if (found === null) return null;
    const { outbox, row } = found;
    const { store } = outbox;
    const isCancelled = await cancel(store, id, this.clock.now());
    if (isCancelled) {
      const [keyHash, subscriberId] = [row.key_hash, row.subscriber_id];
      if (typeof keyHash === 'string') outbox.promote([{ keyHash, subscriberId }]);
      this.events.emit('failed', () => ({
        deliveryId: id,
        ...pairOf(row),
        event: row.event,
        host: row.host ?? NO_HOST,
        attempt: null,
        reason: 'cancelled',
      }));
      return 'cancelled';
    }
    const [now] = (await store.database.run(selectDelivery(store, id))).rows;
    return now === undefined || now.due_at === null ? 'finished' : 'under-way';
  }

  /**
   * Returns the figures of a subscriber's deliveries over the last days, today included, per UTC day. Counts some 200,000
   * deliveries, the newest first, and takes no longer than about half a second: of more than that, `countedSince` says
   * from when on all are counted.
   *
   * @returns null when `scope` does not contain the subscriber
   * @throws {@link InvalidInputError} whose `field` is `days`
   */
  async history(
    { subscriberId: subscriber, days = 30 }: DeliveryHistoryOptions,
    scope: OwnerScope,
  ): Promise<DeliveryHistory | null> {
    if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) {
      throw new InvalidInputError('days', `must be a whole number from 1 to ${MAX_DAYS}`);
    }
    const outbox = await this.#outbox(scope);
    if (!(await this.#isVisible(subscriber, scope))) return null;
    const now = this.clock.now();
    const since = now - (now % DAY) - (days - 1) * DAY;
    return readHistory(outbox.store, subscriber, since, now);
  }

  /**
   * Counts the outstanding work of all owners. For operators. Each count ends at 100,000; `leased`, `blocked` and `holding`
   * look at 20,000 deliveries, beginning with the deliveries that are due next.
   */
  async stats(): Promise<DeliveryStats> {
    const { store } = await this.#outbox('any');
    return readStats(store, this.clock.now());
  }

  #replaying(outbox: OutboxStrategy): ReplayDependencies {
    const { fanOut, subscribers } = this;
    return { fanOut, subscribers, promote: (queues) => outbox.promote(queues) };
  }

  /** True if a whole backfill found nothing, which may be because nothing was stored. */
  #isUnexplained(summary: ReplaySummary, { after }: ReplayOptions): boolean {
    const { scheduled, expunged, disabled, underWay, next } = summary;
    const isEmpty = next === null && scheduled + expunged + disabled + underWay === 0;
    return isEmpty && (after ?? null) === null && this.unheard?.areKept === false;
  }

  /** Runs a bulk operation. No delivery of the subscriber gets a turn before its end. */
  #replay(
    outbox: OutboxStrategy,
    operation: ReplayOperation,
    options: ReplayOptions,
    batch: (after: string | null) => Promise<ReplayBatch>,
  ): Promise<ReplaySummary> {
    const { clock } = this;
    return runInBatches(
      {
        nothing: NOTHING,
        batch: async (after) => {
          if (options.dryRun !== true) {
            await holdQueues(outbox.store, options.subscriberId, operation, clock.now());
          }
          const done = await batch(after);
          if (options.dryRun !== true && done.counts.scheduled > 0) outbox.wake();
          return done;
        },
      },
      options,
    );
  }

  async #isVisible(subscriber: string, scope: OwnerScope): Promise<boolean> {
    return isIdLike(subscriber) && isVisible(this.subscribers, subscriber, scope);
  }

  async #find(id: string, scope: OwnerScope) {
    const outbox = await this.#outbox(scope);
    if (!isIdLike(id)) return null;
    const { store } = outbox;
    const [row] = (await store.database.run(selectDelivery(store, id))).rows;
    if (row === undefined) return null;
    const isSeen = await isVisible(this.subscribers, pairOf(row).subscriberId, scope);
    return isSeen ? { outbox, row } : null;
  }

  async #outbox(scope: OwnerScope): Promise<OutboxStrategy> {
    checkScope(scope);
    return requireOutbox(this.strategy);
  }
}
