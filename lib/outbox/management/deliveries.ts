import { type Clock, isIdLike } from '../../common/index.js';
import { firstIdAt } from '../../common/id.js';
import type { DeliveryLog, WebhookEvents } from '../../delivery/index.js';
import type { DispatchStrategy, FanOut } from '../../dispatch/index.js';
import { InvalidInputError } from '../../errors/index.js';
import { NO_HOST } from '../../message/index.js';
import type { OwnerScope, SubscriberRepository } from '../../subscriber/index.js';
import { runInBatches } from '../../common/long-work.js';
import {
  type BackfillOptions,
  checkBulkOptions,
  checkListQuery,
  checkScope,
  type DeliveryQuery,
  type ReplayOptions,
  type RetryFailedOptions,
  timeFrom,
} from './delivery-query.js';
import {
  candidateOf,
  type DeliveryDetails,
  deliveryOf,
  type DeliveryRecord,
  type DeliveryStats,
} from '../tables/delivery-record.js';
import { statsOf, DAY, type DeliveryHistory, readHistory } from './delivery-figures.js';
import { type OutboxStrategy, requireOutbox } from '../strategy/outbox.strategy.js';
import type { Row } from '../database/outbox-database.js';
import {
  NOTHING,
  reopen,
  type ReplayBatch,
  replayFailed,
  replayMissed,
  type ReplaySummary,
  sum,
} from './replay.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { tableNames } from '../entities/table-names.js';
import { isVisible, visibleSubscribers } from './subscriber-scope.js';

/** Most days that {@link Deliveries.history} looks back. */
const MAX_DAYS = 90;

/** One page of the log, newest first. */
export interface DeliveryPage {
  readonly items: readonly DeliveryRecord[];
  /** Pass it as `after` to read on; null on the last page. */
  readonly next: string | null;
}

/**
 * What {@link Deliveries.retry} did. `scheduled`: it is due now. `under-way`: a worker has it at this moment.
 * `expunged`: the body of its message was dropped. `disabled`: its subscriber is disabled or removed.
 */
export type RetryResult = 'scheduled' | 'under-way' | 'expunged' | 'disabled';

/** What {@link Deliveries.cancel} did. `finished`: there was nothing to call off any more. */
export type CancelResult = 'cancelled' | 'under-way' | 'finished';

/** What {@link Deliveries} is made from. */
export interface DeliveriesTools {
  readonly strategy: DispatchStrategy;
  readonly subscribers: SubscriberRepository;
  readonly fanOut: FanOut;
  readonly events: WebhookEvents;
  readonly log: DeliveryLog;
  readonly clock: Clock;
}

/**
 * The delivery log of `outbox()`: shows what became of messages, and tries again. Injectable anywhere.
 *
 * A delivery is in it once its first attempt has ended, or when it has to wait for it. Every method takes the scope of the caller: `'any'` for
 * the application's own code, `{ owner }` wherever an id comes from a user. What is outside of it does not exist.
 *
 * @example
 * ```ts
 * const { items } = await deliveries.list({ subscriberId: id, status: 'failed', limit: 20 }, { owner: user.id });
 * const { scheduled } = (await deliveries.retryFailed({ subscriberId: id, since: yesterday }, 'any'))!;
 * ```
 */
export class Deliveries {
  constructor(private readonly tools: DeliveriesTools) {}

  /**
   * One page of deliveries, newest first.
   *
   * @throws {@link InvalidInputError} naming what makes no sense
   */
  async list(query: DeliveryQuery, scope: OwnerScope): Promise<DeliveryPage> {
    checkListQuery(query);
    const outbox = await this.#outbox(scope);
    const { messageId, status, event, limit = 50, after = null, since, until } = query;
    const subscribers = await visibleSubscribers(this.tools.subscribers, query.subscriberId, scope);
    if (subscribers?.length === 0) return { items: [], next: null };
    const before = after === null ? [] : [after];
    if (until !== undefined) before.push(firstIdAt('dlv_', timeFrom(until)));
    const pages = await Promise.all(
      outbox.stores.map(({ log }) =>
        log.page({
          subscribers,
          message: messageId,
          status,
          event,
          from: since === undefined ? undefined : firstIdAt('dlv_', timeFrom(since)),
          before,
          limit: limit + 1,
        }),
      ),
    );
    const found = pages.length === 1 ? pages[0]! : pages.flat().sort(newestFirst);
    const items = found.slice(0, limit);
    return { items, next: found.length > limit ? items.at(-1)!.id : null };
  }

  /** The delivery with its attempts, or null when there is none of that id within `scope`. */
  async findById(id: string, scope: OwnerScope): Promise<DeliveryDetails | null> {
    const found = await this.#find(id, scope);
    if (found === null) return null;
    const { store, row } = found;
    const attempts = await this.tools.log.attemptsOf(id, () => store.log.attempts(id));
    return { ...deliveryOf(row), attempts };
  }

  /**
   * Makes a delivery due now, with all attempts of the retry policy before it; also one that succeeded, or that waits.
   * Same id, same message: to its receiver it is one more attempt.
   *
   * @returns null when there is none of that id within `scope`
   */
  async retry(id: string, scope: OwnerScope): Promise<RetryResult | null> {
    const found = await this.#find(id, scope);
    if (found === null) return null;
    const { outbox, store, row } = found;
    const now = this.tools.clock.now();
    const counts = await reopen(store, [candidateOf(row)], this.tools, now, false, true);
    if (counts.expunged > 0) return 'expunged';
    if (counts.disabled > 0) return 'disabled';
    if (counts.underWay > 0) return 'under-way';
    outbox.wake();
    return 'scheduled';
  }

  /**
   * Makes a subscriber's failed deliveries due that were made from `since` to `until`, oldest first; without those that
   * were called off. Brings forward those whose attempts failed and whose next attempt is yet to come. In batches and without a limit: stop it with `signal`, or let it be interrupted, and go on with
   * the `next` of the result or of the last progress.
   *
   * @returns what was done; null when there is no such subscriber within `scope`
   * @throws {@link InvalidInputError} naming what makes no sense
   */
  async retryFailed(options: RetryFailedOptions, scope: OwnerScope): Promise<ReplaySummary | null> {
    const { since, until } = checkBulkOptions(options, this.tools.clock.now());
    const outbox = await this.#outbox(scope);
    const { subscriberId: subscriber, dryRun = false } = options;
    if (!isIdLike(subscriber) || !(await isVisible(this.tools.subscribers, subscriber, scope))) {
      return null;
    }
    const range = { subscriber, from: firstIdAt('dlv_', since), before: firstIdAt('dlv_', until) };
    return this.#replay(outbox, options, (store, after) =>
      replayFailed(store, range, after ?? '', this.tools, this.tools.clock.now(), dryRun),
    );
  }

  /**
   * Sends a subscriber what it has missed while it was disabled: messages since then that match it and of which it has
   * no delivery, and those whose delivery ended because it was disabled. Enable it first. Never anything from before it
   * was created. In batches, as {@link retryFailed}.
   *
   * @param subscriber id of a stored subscriber
   * @returns what was done; null when there is no such subscriber within `scope`
   * @throws {@link InvalidInputError} naming what makes no sense
   */
  async backfill(
    subscriber: string,
    since: Date | number,
    options: BackfillOptions,
    scope: OwnerScope,
  ): Promise<ReplaySummary | null> {
    const range = checkBulkOptions({ ...options, since }, this.tools.clock.now());
    const outbox = await this.#outbox(scope);
    const found = isIdLike(subscriber)
      ? await this.tools.subscribers.findById(subscriber, scope)
      : null;
    if (found === null) return null;
    const missed = {
      subscriber: found,
      since: Math.max(range.since, found.createdAt.getTime()),
      until: range.until,
    };
    const { dryRun = false } = options;
    return this.#replay(outbox, options, (store, after) =>
      replayMissed(store, missed, after, this.tools, this.tools.clock.now(), dryRun),
    );
  }

  /** Calls off a delivery that waits. @returns null when there is none of that id within `scope` */
  async cancel(id: string, scope: OwnerScope): Promise<CancelResult | null> {
    const found = await this.#find(id, scope);
    if (found === null) return null;
    const { store, row } = found;
    const isCancelled = await store.revivals.cancel(id, this.tools.clock.now());
    if (isCancelled) {
      this.tools.events.emit('failed', () => ({
        deliveryId: id,
        messageId: row['message_id'] as string,
        event: row['event'] as string,
        subscriberId: row['subscriber_id'] as string,
        host: (row['host'] as string | null) ?? NO_HOST,
        attempt: null,
        reason: 'cancelled',
      }));
      return 'cancelled';
    }
    const now = await store.log.find(id);
    return now?.['due_at'] === null || now === null ? 'finished' : 'under-way';
  }

  /**
   * What became of a subscriber's deliveries in the last days, today included, by day in UTC, over all data sources.
   *
   * @param options.days 1 to 90, default 30
   * @returns null when there is no such subscriber within `scope`
   * @throws {@link InvalidInputError} whose `field` is `days`
   */
  async history(
    subscriber: string,
    options: { readonly days?: number },
    scope: OwnerScope,
  ): Promise<DeliveryHistory | null> {
    const { days = 30 } = options;
    if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) {
      throw new InvalidInputError('days', `must be a whole number from 1 to ${MAX_DAYS}`);
    }
    const outbox = await this.#outbox(scope);
    if (!isIdLike(subscriber) || !(await isVisible(this.tools.subscribers, subscriber, scope))) {
      return null;
    }
    const now = this.tools.clock.now();
    const since = now - (now % DAY) - (days - 1) * DAY;
    const places = outbox.stores.map(({ database, dataSource }) => ({
      database,
      tables: tableNames(dataSource),
    }));
    return readHistory(places, subscriber, since, now);
  }

  /** How much there is to do, over all data sources; for the operator. */
  async stats(): Promise<DeliveryStats> {
    const { stores } = await this.#outbox('any');
    return statsOf(stores, this.tools.clock.now());
  }

  /** Runs a bulk verb over all data sources. */
  #replay(
    outbox: OutboxStrategy,
    options: ReplayOptions,
    batch: (store: OutboxStore, after: string | null) => Promise<ReplayBatch>,
  ): Promise<ReplaySummary> {
    return runInBatches(
      {
        sources: outbox.stores.length,
        nothing: NOTHING,
        sum,
        batch: async (place, after) => {
          const done = await batch(outbox.stores[place]!, after);
          if (options.dryRun !== true && done.counts.scheduled > 0) outbox.wake();
          return done;
        },
      },
      options,
    );
  }

  async #find(id: string, scope: OwnerScope) {
    const outbox = await this.#outbox(scope);
    if (!isIdLike(id)) return null;
    for (const store of outbox.stores) {
      const row: Row | null = await store.log.find(id);
      if (row === null || row['id'] !== id) continue;
      const subscriber = row['subscriber_id'] as string;
      const isSeen = await isVisible(this.tools.subscribers, subscriber, scope);
      return isSeen ? { outbox, store, row } : null;
    }
    return null;
  }

  async #outbox(scope: OwnerScope): Promise<OutboxStrategy> {
    checkScope(scope);
    return requireOutbox(this.tools.strategy);
  }
}

function newestFirst(one: DeliveryRecord, other: DeliveryRecord): number {
  return one.id < other.id ? 1 : -1;
}
