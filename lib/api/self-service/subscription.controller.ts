import { Body, Controller, Delete, Get, Headers, HttpCode, Patch, Req, Res } from '@nestjs/common';
import { Subscribers, type SubscriberUpdate } from '../../subscriber/index.js';
import { ApiSettings } from '../options/api-options.js';
import { CollectionPath } from '../http/collection-path.decorator.js';
import { orNotFound } from '../problems/problem.js';
import { checkedFields, GivenFieldsPipe } from '../http/given-fields.pipe.js';
import type { HeaderResponse } from '../problems/private-response.js';
import { subscriptionOf } from './subscription.guard.js';
import { entityTag, ifMatch } from '../subscribers/etag.js';
import {
  type ChangedSubscriberView,
  SUBSCRIPTION_FIELDS,
  type SubscriberView,
} from '../subscribers/subscriber.view.js';
import { SubscriberViews } from '../subscribers/subscriber-views.js';

/** Who acts on these routes, for the audit. */
export const BY_RECEIVER = { by: 'receiver' };

const CHANGES = new GivenFieldsPipe(SUBSCRIPTION_FIELDS, false);

/**
 * The routes with which receivers change their own subscription. No guard of the API applies, because a receiver proves
 * itself with its secret.
 */
@Controller()
export class ThornSubscriptionController {
  constructor(
    private readonly subscribers: Subscribers,
    private readonly views: SubscriberViews,
    private readonly settings: ApiSettings,
  ) {}

  @Get('/self')
  read(
    @CollectionPath(1) collection: string,
    @Req() request: object,
    @Res() response: HeaderResponse,
  ): Promise<SubscriberView> {
    const subscriber = subscriptionOf(request);
    response.header('ETag', entityTag(subscriber));
    return this.views.one(subscriber, this.settings.self(collection, subscriber.id));
  }

  @Patch('/self')
  async update(
    @CollectionPath(1) collection: string,
    @Body(CHANGES) body: unknown,
    @Req() request: object,
    @Headers('if-match') expected: unknown,
    @Res() response: HeaderResponse,
  ): Promise<ChangedSubscriberView> {
    const { id, owner } = subscriptionOf(request);
    const terms = { ...BY_RECEIVER, ...ifMatch(expected) };
    const changes = checkedFields<SubscriberUpdate>(body, (given) =>
      this.subscribers.checkChanges(given),
    );
    const updated = orNotFound(await this.subscribers.update(id, changes, { owner }, terms));
    response.header('ETag', entityTag(updated));
    const self = this.settings.self(collection, updated.id);
    const warnings = this.subscribers.warnings(updated);
    return { ...(await this.views.one(updated, self)), warnings };
  }

  @Delete('/self')
  @HttpCode(204)
  async delete(@Req() request: object, @Headers('if-match') expected: unknown): Promise<void> {
    const { id, owner } = subscriptionOf(request);
    const terms = { ...BY_RECEIVER, ...ifMatch(expected) };
    orNotFound((await this.subscribers.delete(id, { owner }, terms)) || null);
  }
}
