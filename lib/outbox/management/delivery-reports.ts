import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/index.js';
import { DispatchStrategy, FanOut } from '../../dispatch/index.js';
import { hostOf, type Recipient, WebhookFormats, withoutQuery } from '../../message/index.js';
import {
  isStaticId,
  type OwnerScope,
  type Subscriber,
  SubscriberRepository,
  type SubscriberState,
  subscriberState,
} from '../../subscriber/index.js';
import { OutboxStrategy, requireOutbox } from '../strategy/outbox.strategy.js';
import type { DeliveryRecord } from '../tables/delivery-record.js';
import type { FailingSubscriber } from '../tables/health-table.js';
import { MOST_COUNTED } from '../tables/delivery-log.js';
import {
  attemptFigures,
  countedAttempts,
  type AttemptFiguresQuery,
  type AttemptHistory,
  figuresRange,
} from '../log/attempt-figures.js';
import { Deliveries } from './deliveries.js';
import {
  type FilterPreviewQuery,
  type PreviewedMessage,
  previewFilter,
} from '../log/filter-preview.js';
import {
  type MessageBody,
  messageBody,
  type MessageReader,
  staticSubscriberOf,
} from '../log/message-body.js';
import { type SentRequest, sentRequest } from '../log/sent-request.js';
import {
  attemptsBySubscriber,
  type EndpointAttempts,
  endpointOverview,
  type EndpointOverview,
  NO_ATTEMPTS,
} from '../log/endpoint-overview.js';
import {
  type EndpointPause,
  type EndpointState,
  type EndpointStates,
  endpointStates,
  failingStates,
  pausesOf,
} from './endpoint-states.js';
import { subjectsOf } from '../log/subjects.js';
import type { StepBounds } from '../log/log-steps.js';
import { visibleSubscribers } from '../log/subscriber-scope.js';

/**
 * A failing subscriber as operators see it; `owner`, `host`, `url`, `description` and `state` are null for a subscriber that
 * the application declares in its code.
 */
export interface FailingEndpoint extends FailingSubscriber {
  readonly owner: string | null;
  /** Host and port. */
  readonly host: string | null;
  /** Without its query. */
  readonly url: string | null;
  readonly description: string | null;
  readonly state: SubscriberState | null;
}

/** The subscriber of a delivery as it is now, all null for a subscriber that is not stored, and the subject of its message. */
export interface DeliverySubscriber {
  /** What the message is about; null when nothing is known, the body was dropped, or the reader may not see bodies. */
  readonly subject: string | null;
  /** Without its query. */
  readonly url: string | null;
  readonly description: string | null;
  /** Why a waiting delivery is not sent for now. */
  readonly pause: EndpointPause | null;
}

/** How an endpoint fails. Times are milliseconds since the Unix epoch. */
export interface EndpointFailure {
  readonly failingSince: number;
  /** When it is disabled unless a request succeeds before; null until half of the way there, and for never. */
  readonly disablesAt: number | null;
}

/** The attempts of 24 hours at some endpoints. */
export interface LastDay {
  readonly attemptsAt: (subscriberId: string) => EndpointAttempts;
  /** Deliveries from then on were counted, in milliseconds since the Unix epoch. */
  readonly countedSince: number;
}

/** The failing subscribers of all owners. */
export interface FailingEndpoints {
  /** Those that have failed for the longest time, up to 50. */
  readonly items: readonly FailingEndpoint[];
  /** All of them, up to 100,000. Of more than 1,000, it counts those that were removed as well. */
  readonly count: number;
}

const MOST_FAILING = 50;
const MOST_LOOKED_UP = 1000;
/** The figures beside a list are read with each of its pages. */
const LIST_BOUNDS: StepBounds = { rows: 5000, time: 50 };

/** What the REST API shows besides the delivery log itself. */
@Injectable()
export class DeliveryReports {
  constructor(
    private readonly strategy: DispatchStrategy,
    private readonly deliveries: Deliveries,
    private readonly subscribers: SubscriberRepository,
    private readonly fanOut: FanOut,
    private readonly formats: WebhookFormats,
    private readonly clock: Clock,
  ) {}

  /** Reads body and URL of a delivery; null when `scope` does not contain the id. */
  async request(id: string, scope: OwnerScope): Promise<SentRequest | null> {
    const { strategy, deliveries, subscribers, fanOut, formats } = this;
    const found = await deliveries.findById(id, scope);
    if (found === null) return null;
    const { store } = await requireOutbox(strategy);
    return sentRequest(store, found, { subscribers, fanOut, formats });
  }

  /** Reads the body of a message; null when there is none of that id that the reader may see. */
  async body(id: string, reader: MessageReader): Promise<MessageBody | null> {
    return messageBody((await requireOutbox(this.strategy)).store, id, reader, this.clock.now());
  }

  /** Finds the static subscriber of an id that gets a message; null when there is none. */
  async staticSubscriber(message: string, id: string): Promise<Recipient | null> {
    const { store } = await requireOutbox(this.strategy);
    return staticSubscriberOf(store, message, id, this.fanOut.finder());
  }

  /**
   * Counts the attempts of all subscribers in scope, or of one of them.
   *
   * @returns null when `scope` does not contain the subscriber
   * @throws `InvalidInputError` naming the field
   */
  async figures(query: AttemptFiguresQuery, scope: OwnerScope): Promise<AttemptHistory | null> {
    const { strategy, subscribers, clock } = this;
    const range = figuresRange(query, clock.now());
    const { store } = await requireOutbox(strategy);
    const { subscriberId } = query;
    const visible = await visibleSubscribers(subscribers, subscriberId, scope);
    if (subscriberId !== undefined && visible?.length === 0) return null;
    return attemptFigures(store, visible, range);
  }

  /** Judges the latest messages by a filter. */
  async previewFilter(query: FilterPreviewQuery): Promise<readonly PreviewedMessage[]> {
    return previewFilter((await requireOutbox(this.strategy)).store, query);
  }

  /** Tells whether the endpoint of a stored subscriber fails; null when `scope` does not contain the subscriber. */
  async endpoint(id: string, scope: OwnerScope): Promise<EndpointState | null> {
    const { strategy, subscribers, clock } = this;
    const outbox = await requireOutbox(strategy);
    const found = await subscribers.findById(id, scope);
    if (found === null) return null;
    const [state] = await endpointStates(outbox, [found], clock.now());
    return state!;
  }

  /**
   * Tells since when the endpoints of subscribers have only failed, and when they are disabled for that. Subscribers that do
   * not fail are left out, and all of them where the application keeps no delivery log.
   */
  async failures(ids: readonly string[]): Promise<ReadonlyMap<string, EndpointFailure>> {
    const { strategy } = this;
    if (!(strategy instanceof OutboxStrategy) || ids.length === 0) return new Map();
    await strategy.ready();
    const stored = await strategy.store.health.read(ids);
    return new Map(
      [...stored].map(([id, { health }]) => [
        id,
        { failingSince: health.failingSince!, disablesAt: strategy.disablesAt(health) },
      ]),
    );
  }

  /** Counts the attempts of 24 hours at each of some endpoints; null where the application keeps no delivery log. */
  async lastDay(ids: readonly string[]): Promise<LastDay | null> {
    const { strategy, clock } = this;
    if (!(strategy instanceof OutboxStrategy)) return null;
    await strategy.ready();
    const range = figuresRange({ by: 'hour' }, clock.now());
    const { history, rows } = await countedAttempts(strategy.store, ids, range, true, LIST_BOUNDS);
    const found = attemptsBySubscriber(rows);
    return {
      attemptsAt: (id) => found.get(id) ?? NO_ATTEMPTS,
      countedSince: history.countedSince,
    };
  }

  /** Finds the endpoints in scope that fail, and counts them and the disabled ones. */
  async endpoints(scope: OwnerScope): Promise<EndpointStates> {
    const { strategy, subscribers, clock } = this;
    const outbox = await requireOutbox(strategy);
    const found = await failingStates(outbox, subscribers, scope, clock.now());
    return { ...found, disabled: (await subscribers.countDisabled(scope)) ?? 0 };
  }

  /**
   * Chooses the endpoints in scope that need a look first, and counts the attempts of 24 hours at all of them. What is
   * counted of an endpoint is a part of the count of all.
   */
  async overview(scope: OwnerScope): Promise<EndpointOverview> {
    const { strategy, subscribers, clock } = this;
    const now = clock.now();
    if (!(strategy instanceof OutboxStrategy)) {
      return { ...(await endpointOverview(subscribers, scope, [], null, now)), figures: null };
    }
    await strategy.ready();
    const { items: failing } = await failingStates(strategy, subscribers, scope, now);
    const { history, rows } = await countedAttempts(
      strategy.store,
      await visibleSubscribers(subscribers, undefined, scope),
      figuresRange({ by: 'hour' }, now),
      true,
    );
    const ids = failing.map(({ subscriberId }) => subscriberId);
    const attempts = attemptsBySubscriber(rows);
    const overview = await endpointOverview(subscribers, scope, ids, attempts, now);
    return { ...overview, figures: history };
  }

  /** Finds the failing subscribers of all owners, without those that were removed, and counts them. */
  async failing(): Promise<FailingEndpoints> {
    const { strategy, subscribers, clock } = this;
    const { health } = (await requireOutbox(strategy)).store;
    const longest = await health.failing(MOST_LOOKED_UP);
    const stored = await subscribers.findAll(
      longest.map(({ subscriberId }) => subscriberId),
      'any',
    );
    const byId = new Map(stored.map((one) => [one.id, one]));
    const there = longest.filter(({ subscriberId: id }) => byId.has(id) || isStaticId(id));
    const items = there.slice(0, MOST_FAILING).map((one): FailingEndpoint => {
      const subscriber = byId.get(one.subscriberId);
      if (subscriber === undefined) {
        return { ...one, owner: null, host: null, url: null, description: null, state: null };
      }
      return {
        ...one,
        owner: subscriber.owner,
        host: hostOf(subscriber),
        url: withoutQuery(subscriber.url),
        description: subscriber.description,
        state: subscriberState(subscriber, one.failingSince, clock.now()),
      };
    });
    const isWhole = longest.length < MOST_LOOKED_UP;
    return { items, count: isWhole ? there.length : await health.countFailing(MOST_COUNTED) };
  }

  /**
   * Adds to each delivery its subscriber as it is now, whether the subscriber's host is paused, and what the message is
   * about.
   *
   * @param reader `bodies`: false for a reader who may not see what comes from bodies. Default true
   */
  async withSubscribers<
    Delivery extends Pick<DeliveryRecord, 'subscriberId' | 'messageId' | 'status'>,
  >(
    deliveries: readonly Delivery[],
    { bodies }: { readonly bodies: boolean } = { bodies: true },
  ): Promise<readonly (Delivery & DeliverySubscriber)[]> {
    const ids = [...new Set(deliveries.map(({ subscriberId }) => subscriberId))];
    const [stored, pauseOf, subjects] = await Promise.all([
      this.subscribers.findAll(ids, 'any'),
      this.#pauses(deliveries),
      bodies ? this.#subjects(deliveries) : new Map<string, string>(),
    ]);
    const byId = new Map(stored.map((one) => [one.id, one]));
    return deliveries.map((one) => {
      const subject = subjects.get(one.messageId) ?? null;
      const subscriber = byId.get(one.subscriberId);
      if (subscriber === undefined) {
        return { ...one, subject, url: null, description: null, pause: null };
      }
      const { url, description } = subscriber;
      const pause = one.status === 'pending' ? pauseOf(subscriber) : null;
      return { ...one, subject, url: withoutQuery(url), description, pause };
    });
  }

  async #subjects(
    deliveries: readonly Pick<DeliveryRecord, 'messageId'>[],
  ): Promise<ReadonlyMap<string, string>> {
    const { store } = await requireOutbox(this.strategy);
    return subjectsOf(
      store,
      deliveries.map(({ messageId }) => messageId),
    );
  }

  async #pauses(
    deliveries: readonly Pick<DeliveryRecord, 'status'>[],
  ): Promise<(subscriber: Subscriber) => EndpointPause | null> {
    if (deliveries.every(({ status }) => status !== 'pending')) return () => null;
    return pausesOf(await requireOutbox(this.strategy), this.clock.now());
  }
}
