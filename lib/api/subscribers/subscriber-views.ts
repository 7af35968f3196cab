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
import { type LastDayView, lastDayView } from './last-day.view.js';
import type { LastDayQuery } from './subscriber-query.js';
import { type SubscriberView, subscriberView } from './subscriber.view.js';

/** The number of subscribers that one request reads to find subscribers in a state, because rows do not store the state. */
const SEARCHED = 1000;

/** A subscriber in answers, with the attempts of 24 hours where they are asked for. */
export type ListedSubscriberView = SubscriberView & { readonly lastDay?: LastDayView };

/** A subscriber, and its form in answers. */
export interface ShownSubscriber {
  readonly subscriber: Subscriber;
  readonly view: ListedSubscriberView;
}

/** The query of a list: which subscribers, and what else to tell about each. */
interface ListQuery extends SubscriberQuery, LastDayQuery {
  readonly state?: SubscriberState;
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

  async one(
    subscriber: Subscriber,
    self: string,
    { figures }: LastDayQuery = {},
  ): Promise<ListedSubscriberView> {
    const found = await this.all([subscriber], () => self);
    const [shown] = await this.#withFigures(found, figures);
    return shown!.view;
  }

  /** @param selfOf returns the URL of a subscriber itself */
  async all(
    subscribers: readonly Subscriber[],
    selfOf: (id: string) => string,
  ): Promise<readonly ShownSubscriber[]> {
    const failures = await this.reports.failures(subscribers.map(({ id }) => id));
    const now = this.clock.now();
    return subscribers.map((subscriber) => {
      const { failingSince = null, disablesAt = null } = failures.get(subscriber.id) ?? {};
      const facts = { failingSince, disablesAt, now, hasDigest: this.wire.hookHmac };
      return { subscriber, view: subscriberView(subscriber, selfOf(subscriber.id), facts) };
    });
  }

  /** Lists a page. A page of subscribers in a state may end early, like a page of a search. */
  async list(
    { state, figures, ...query }: ListQuery,
    scope: OwnerScope,
    selfOf: (id: string) => string,
  ): Promise<{ readonly items: readonly ShownSubscriber[]; readonly next: string | null }> {
    const { limit = 20 } = query;
    const page = await this.subscribers.list(
      { ...query, limit: state === undefined ? limit : SEARCHED },
      scope,
    );
    const shown = await this.all(page.items, selfOf);
    const found = shown.filter(({ view }) => state === undefined || view.state === state);
    const items = found.slice(0, limit);
    return {
      items: await this.#withFigures(items, figures),
      next: found.length > limit ? items.at(-1)!.subscriber.id : page.next,
    };
  }

  async #withFigures(
    items: readonly ShownSubscriber[],
    figures: LastDayQuery['figures'],
  ): Promise<readonly ShownSubscriber[]> {
    if (figures === undefined) return items;
    const found = await this.reports.lastDay(items.map(({ subscriber }) => subscriber.id));
    return items.map(({ subscriber, view }) => {
      const lastDay = found && lastDayView(found.attemptsAt(subscriber.id), found.countedSince);
      return { subscriber, view: { ...view, lastDay } };
    });
  }
}
