import { Inject, Injectable } from '@nestjs/common';
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

/** Subscribers that are looked at for those of a state: their rows do not hold it. */
const SEARCHED = 1000;

/** A subscriber, and what answers show of it. */
export interface ShownSubscriber {
  readonly subscriber: Subscriber;
  readonly view: SubscriberView;
}

/** Shows subscribers with what is known of their endpoints: every answer names the same state. */
@Injectable()
export class SubscriberViews {
  constructor(
    @Inject(Subscribers) private readonly subscribers: Subscribers,
    @Inject(DeliveryReports) private readonly reports: DeliveryReports,
    @Inject(WireFormat) private readonly wire: WireFormat,
    @Inject(Clock) private readonly clock: Clock,
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

  /** Lists a page. One of a state may end early, as that of a search may. */
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
