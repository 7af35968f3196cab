import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/index.js';
import { WireFormat } from '../../message/index.js';
import { DeliveryReports } from '../../outbox/index.js';
import {
  type OwnerScope,
  type Subscriber,
  type SubscriberQuery,
  Subscribers,
  type SubscriberState,
} from '../../subscriber/index.js';
import { type SubscriberView, subscriberView } from './subscriber.view.js';

/** The number of subscribers that one request reads to find subscribers in a state, because rows do not store the state. */
const SEARCHED = 1000;

/** A subscriber, and its form in answers. */
export interface ShownSubscriber {
  readonly subscriber: Subscriber;
  readonly view: SubscriberView;
}

/** Makes the answers about subscribers. It adds the health of their endpoints, so that all answers name the same state. */
@Injectable()
export class SubscriberViews {
  constructor(
    private readonly subscribers: Subscribers,
    private readonly reports: DeliveryReports,
    private readonly wire: WireFormat,
    private readonly clock: Clock,
  ) {}

  async one(subscriber: Subscriber, self: string): Promise<SubscriberView> {
    const [shown] = await this.all([subscriber], () => self);
    return shown!.view;
  }

  /** @param selfOf returns the URL of a subscriber itself */
  async all(
    subscribers: readonly Subscriber[],
    selfOf: (id: string) => string,
  ): Promise<readonly ShownSubscriber[]> {
    const failing = await this.reports.failingSince(subscribers.map(({ id }) => id));
    const now = this.clock.now();
    return subscribers.map((subscriber) => {
      const failingSince = failing.get(subscriber.id) ?? null;
      const facts = { failingSince, now, hasDigest: this.wire.hookHmac };
      return { subscriber, view: subscriberView(subscriber, selfOf(subscriber.id), facts) };
    });
  }

  /** Lists a page. A page of subscribers in a state may end early, like a page of a search. */
  async list(
    { state, ...query }: SubscriberQuery & { readonly state?: SubscriberState },
    scope: OwnerScope,
    selfOf: (id: string) => string,
  ): Promise<{ readonly items: readonly ShownSubscriber[]; readonly next: string | null }> {
    const { limit = 20 } = query;
    const page = await this.subscribers.list(
      { ...query, limit: state === undefined ? limit : SEARCHED },
      scope,
    );
    const shown = await this.all(page.items, selfOf);
    if (state === undefined) return { items: shown, next: page.next };
    const found = shown.filter(({ view }) => view.state === state);
    const items = found.slice(0, limit);
    return { items, next: found.length > limit ? items.at(-1)!.subscriber.id : page.next };
  }
}
