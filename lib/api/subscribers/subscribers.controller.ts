import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import {
  type NewSubscriber,
  type OwnerScope,
  type Subscriber,
  type SubscriberQuery,
  Subscribers,
  type SubscriberUpdate,
} from '../../subscriber/index.js';
import { InvalidInputError } from '../../errors/index.js';
import { WebhookFormats, WireFormat } from '../../message/index.js';
import { ApiSettings } from '../options/api-options.js';
import { checkRateLimitCeiling, withRateLimitCeiling } from './rate-limit-ceiling.js';
import { CollectionPath } from '../http/collection-path.decorator.js';
import { EndpointProbe } from './endpoint-probe.js';
import { entityTag, ifMatch } from './etag.js';
import { orNotFound } from '../problems/problem.js';
import type { HeaderResponse } from '../problems/private-response.js';
import { checkedFields, GivenFieldsPipe } from '../http/given-fields.pipe.js';
import { Needs } from '../http/portal.guard.js';
import { CallerName, CallerScope, named } from '../http/owner.guard.js';
import { readQuery } from '../http/query.js';
import {
  CHANGES_QUERY,
  type ChangesQuery,
  type SubscriberChangePageView,
  subscriberChangePageView,
} from './subscriber-change.view.js';
import { LAST_DAY_QUERY, type LastDayQuery, SUBSCRIBERS_QUERY } from './subscriber-query.js';
import {
  type ChangedSubscriberView,
  type CreatedSubscriberView,
  FIXED_FIELDS,
  NEW_SUBSCRIBER_FIELDS,
  secretOf,
  CHANGED_FIELDS,
} from './subscriber.view.js';
import { type ListedSubscriberView, SubscriberViews } from './subscriber-views.js';

const NEW = new GivenFieldsPipe(NEW_SUBSCRIBER_FIELDS, true);
const CHANGES = new GivenFieldsPipe(CHANGED_FIELDS, false, FIXED_FIELDS);

@Controller()
export class ThornSubscribersController {
  constructor(
    private readonly subscribers: Subscribers,
    private readonly views: SubscriberViews,
    private readonly probe: EndpointProbe,
    private readonly wire: WireFormat,
    private readonly formats: WebhookFormats,
    private readonly settings: ApiSettings,
  ) {}

  @Get()
  async list(
    @CallerScope() scope: OwnerScope,
    @CollectionPath(0) collection: string,
    @Query() given: unknown,
  ): Promise<{ readonly items: readonly ListedSubscriberView[]; readonly next: string | null }> {
    const selfOf = (id: string) => this.settings.self(collection, id);
    const query = readQuery<SubscriberQuery>(given, SUBSCRIBERS_QUERY, this.settings);
    const { items, next } = await this.views.list(query, scope, selfOf);
    return { items: items.map(({ view }) => view), next };
  }

  @Post()
  // The route needs `secrets`, because its answer shows the secret.
  @Needs('write', 'secrets')
  async create(
    @CallerScope() scope: { readonly owner: string | null },
    @CallerName() by: string | undefined,
    @CollectionPath(0) collection: string,
    @Body(NEW) body: unknown,
    @Res() response: HeaderResponse,
  ): Promise<CreatedSubscriberView | ChangedSubscriberView> {
    const { deliveriesPerMinute } = this.settings.limits;
    const fields = checkedFields<NewSubscriber>(
      body,
      (given) => checkDigest(given, this.wire),
      (given) => this.formats.checkOffered(given.format),
      (given) => this.subscribers.check(given),
      (given) => checkRateLimitCeiling(given, deliveriesPerMinute),
    );
    const { subscriber: stored, isNew } = await this.subscribers.createOrUpdate(
      { ...withRateLimitCeiling(fields, deliveriesPerMinute), owner: scope.owner },
      {
        limits: this.settings.subscriberLimits,
        isChallenged: this.settings.challenge,
        ...named(by),
      },
    );
    const subscriber = await this.probe.challenge(stored, scope, named(by));
    const view = {
      ...(await this.#view(subscriber, collection, response)),
      warnings: this.subscribers.warnings(subscriber),
    };
    if (!isNew) {
      response.status(200);
      return view;
    }
    response.header('Location', view.self);
    return { ...view, secret: secretOf(subscriber) };
  }

  @Get('/:id')
  async read(
    @CallerScope() scope: OwnerScope,
    @CollectionPath(1) collection: string,
    @Param('id') id: string,
    @Query() given: unknown,
    @Res() response: HeaderResponse,
  ): Promise<ListedSubscriberView> {
    const query = readQuery<LastDayQuery>(given, LAST_DAY_QUERY, this.settings);
    const subscriber = orNotFound(await this.subscribers.findById(id, scope));
    return this.#view(subscriber, collection, response, query);
  }

  @Patch('/:id')
  async update(
    @CallerScope() scope: OwnerScope,
    @CallerName() by: string | undefined,
    @CollectionPath(1) collection: string,
    @Param('id') id: string,
    @Body(CHANGES) body: unknown,
    @Headers('if-match') expected: unknown,
    @Res() response: HeaderResponse,
  ): Promise<ChangedSubscriberView> {
    const terms = ifMatch(expected);
    const changes = checkedFields<SubscriberUpdate>(
      body,
      (given) => checkDigest(given, this.wire),
      (given) => this.subscribers.checkChanges(given),
      (given) => checkRateLimitCeiling(given, this.settings.limits.deliveriesPerMinute),
    );
    const updated = orNotFound(
      await this.subscribers.update(id, changes, scope, {
        limits: this.settings.subscriberLimits,
        isChallenged: this.settings.challenge,
        ...named(by),
        ...terms,
      }),
    );
    const subscriber =
      changes.url === undefined ? updated : await this.probe.challenge(updated, scope, named(by));
    const warnings = this.subscribers.warnings(subscriber);
    return { ...(await this.#view(subscriber, collection, response)), warnings };
  }

  @Delete('/:id')
  @HttpCode(204)
  async delete(
    @CallerScope() scope: OwnerScope,
    @CallerName() by: string | undefined,
    @Param('id') id: string,
    @Headers('if-match') expected: unknown,
  ): Promise<void> {
    const terms = { ...named(by), ...ifMatch(expected) };
    orNotFound((await this.subscribers.delete(id, scope, terms)) || null);
  }

  @Get('/:id/changes')
  async changes(
    @CallerScope() scope: OwnerScope,
    @Param('id') id: string,
    @Query() given: unknown,
  ): Promise<SubscriberChangePageView> {
    const query = readQuery<ChangesQuery>(given, CHANGES_QUERY, this.settings);
    return subscriberChangePageView(orNotFound(await this.subscribers.changes(id, query, scope)));
  }

  #view(
    subscriber: Subscriber,
    collection: string,
    response: HeaderResponse,
    query?: LastDayQuery,
  ): Promise<ListedSubscriberView> {
    response.header('ETag', entityTag(subscriber));
    return this.views.one(subscriber, this.settings.self(collection, subscriber.id), query);
  }
}

/** @throws {@link InvalidInputError} for `digest` when `Hook-HMAC` is not sent, since the digest would have no effect */
function checkDigest({ digest }: SubscriberUpdate, { hookHmac }: WireFormat): void {
  if (digest === undefined || hookHmac) return;
  throw new InvalidInputError(
    'digest',
    'is for the header Hook-HMAC, which this application does not send',
  );
}
