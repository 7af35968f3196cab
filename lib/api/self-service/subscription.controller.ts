import { Body, Delete, Get, HttpCode, Inject, Patch, Req, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Subscriber, Subscribers, type SubscriberUpdate } from '../../subscriber/index.js';
import { WireFormat } from '../../message/index.js';
import type { ApiSettings } from '../options/api-options.js';
import { CollectionPath } from '../http/collection-path.decorator.js';
import { orNotFound } from '../problems/errors.js';
import { PublicController } from '../http/controller.decorators.js';
import { JsonBodyGuard } from '../http/json-body.guard.js';
import { checkedFields, GivenFieldsPipe } from '../http/given-fields.pipe.js';
import { RoutePaths } from '../platform/route-paths.js';
import { SubscriptionGuard, subscriptionOf } from './subscription.guard.js';
import { ChangedSubscriberView, SubscriberView } from '../subscribers/subscriber.view.js';

/** A receiver may change what it gets, and not where that goes. */
const CHANGES = new GivenFieldsPipe(['enabled', 'events', 'exclude', 'filter'], false);

/** The routes by which receivers act on their own subscription: no guard of the API applies, their secret lets them in. */
export function subscriptionController(settings: ApiSettings): Type<unknown> {
  const paths = new RoutePaths();
  const self = paths.of('/self');

  @PublicController(settings, {
    guards: [SubscriptionGuard, new JsonBodyGuard(settings.limits.bodyBytes)],
  })
  class ThornSubscriptionController {
    constructor(
      @Inject(Subscribers) private readonly subscribers: Subscribers,
      @Inject(WireFormat) private readonly format: WireFormat,
      @Inject(HttpAdapterHost) host: HttpAdapterHost,
    ) {
      paths.adaptTo(host);
    }

    @Get(self)
    read(@CollectionPath(1) collection: string, @Req() request: object): SubscriberView {
      return this.#view(subscriptionOf(request), collection);
    }

    @Patch(self)
    async update(
      @CollectionPath(1) collection: string,
      @Body(CHANGES) body: unknown,
      @Req() request: object,
    ): Promise<ChangedSubscriberView> {
      const { id, owner } = subscriptionOf(request);
      const changes = checkedFields<SubscriberUpdate>(body, (given) =>
        this.subscribers.checkChanges(given),
      );
      const updated = orNotFound(await this.subscribers.update(id, changes, { owner }));
      const self = settings.self(collection, updated.id);
      return new ChangedSubscriberView(
        updated,
        self,
        this.format,
        this.subscribers.warnings(updated),
      );
    }

    /** Unsubscribes. */
    @Delete(self)
    @HttpCode(204)
    async delete(@Req() request: object): Promise<void> {
      const { id, owner } = subscriptionOf(request);
      orNotFound((await this.subscribers.delete(id, { owner })) || null);
    }

    #view(subscriber: Subscriber, collection: string): SubscriberView {
      return new SubscriberView(subscriber, settings.self(collection, subscriber.id), this.format);
    }
  }

  return ThornSubscriptionController;
}
