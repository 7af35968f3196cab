import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { DispatchStrategy } from '../../dispatch/index.js';
import {
  Deliveries,
  type DeliveryQuery,
  DeliveryReports,
  OutboxStrategy,
} from '../../outbox/index.js';
import { type Subscriber, type SubscriberQuery, Subscribers } from '../../subscriber/index.js';
import { entityTag, ifMatch } from '../subscribers/etag.js';
import { EmptyDto } from '../subscribers/subscriber-actions.dto.js';
import {
  CHANGES_QUERY,
  type ChangesQuery,
  type SubscriberChangePageView,
  subscriberChangePageView,
} from '../subscribers/subscriber-change.view.js';
import { readQuery } from '../http/query.js';
import {
  LAST_DAY_QUERY,
  type LastDayQuery,
  SUBSCRIBERS_QUERY,
} from '../subscribers/subscriber-query.js';
import { SubscriberViews } from '../subscribers/subscriber-views.js';
import { badRequest, orNotFound, problem } from '../problems/problem.js';
import { CollectionPath } from '../http/collection-path.decorator.js';
import { SelectionDto } from '../deliveries/deliveries.dto.js';
import {
  cancelRefused,
  retryRefused,
  type SelectedRetriesView,
  selectedRetriesView,
} from '../deliveries/delivery-problems.js';
import { RecentRetries } from '../deliveries/recent-retries.js';
import { LOG_QUERY } from '../deliveries/log-query.js';
import { JsonBodyPipe } from '../http/json-body.pipe.js';
import type { HeaderResponse } from '../problems/private-response.js';
import { OperatorSettings } from '../options/operator-options.js';
import { type OperatorSubscriberView, operatorSubscriberView } from './operator-subscriber.view.js';
import type {
  OperatorDeliveryDetailsView,
  OperatorDeliveryView,
  OverviewView,
} from './operator.view.js';
import { scopeFrom } from './owner-query.js';
import { PauseDto } from './operator.dto.js';

const NOTHING = new JsonBodyPipe(EmptyDto);
/** A search tells what bodies hold. */
const NO_SEARCH = {
  field: 'subject',
  reason:
    'is read of bodies, which operators do not see: set the option operatorApi.bodies to true',
};

@Controller()
export class ThornOperatorController {
  constructor(
    private readonly subscribers: Subscribers,
    private readonly views: SubscriberViews,
    private readonly deliveries: Deliveries,
    private readonly retries: RecentRetries,
    private readonly reports: DeliveryReports,
    private readonly strategy: DispatchStrategy,
    private readonly settings: OperatorSettings,
  ) {}

  @Get('overview')
  async overview(): Promise<OverviewView> {
    const outbox = this.#outbox();
    const [stats, changes, pauses, failing] = await Promise.all([
      this.deliveries.stats(),
      outbox.changes(),
      outbox.pauses(),
      this.reports.failing(),
    ]);
    return {
      ...stats,
      changes,
      isWorker: outbox.isWorker(),
      activity: outbox.activity(),
      endpoints: outbox.endpoints(),
      pauses,
      failing: failing.items,
      failingSubscribers: failing.count,
    };
  }

  @Post('pauses')
  @HttpCode(204)
  async pause(@Body(new JsonBodyPipe(PauseDto)) body: unknown): Promise<void> {
    await this.#outbox().pause((body as PauseDto).host);
  }

  @Delete('pauses/:host')
  @HttpCode(204)
  async resume(@Param('host') host: string): Promise<void> {
    if (await this.#outbox().resume(host)) return;
    throw problem('not-found', 'This host is not paused');
  }

  @Get('subscribers')
  async list(@CollectionPath(0) collection: string, @Query() given: unknown): Promise<object> {
    const { scope, asked } = scopeFrom<SubscriberQuery>(given, SUBSCRIBERS_QUERY, this.settings);
    const selfOf = (id: string) => `${collection}/${id}`;
    const { items, next } = await this.views.list(asked, scope, selfOf);
    return { items: items.map(operatorSubscriberView), next };
  }

  @Get('subscribers/:id')
  async read(
    @CollectionPath(1) collection: string,
    @Param('id') id: string,
    @Query() given: unknown,
    @Res() response: HeaderResponse,
  ): Promise<OperatorSubscriberView> {
    const query = readQuery<LastDayQuery>(given, LAST_DAY_QUERY, this.settings);
    const subscriber = orNotFound(await this.subscribers.findById(id, 'any'));
    return this.#view(subscriber, collection, response, query);
  }

  @Post('subscribers/:id/enable')
  @HttpCode(200)
  enable(
    @CollectionPath(2) collection: string,
    @Param('id') id: string,
    @Body(NOTHING) _body: unknown,
    @Headers('if-match') expected: unknown,
    @Res() response: HeaderResponse,
  ): Promise<OperatorSubscriberView> {
    return this.#switch(id, true, expected, collection, response);
  }

  @Post('subscribers/:id/disable')
  @HttpCode(200)
  disable(
    @CollectionPath(2) collection: string,
    @Param('id') id: string,
    @Body(NOTHING) _body: unknown,
    @Headers('if-match') expected: unknown,
    @Res() response: HeaderResponse,
  ): Promise<OperatorSubscriberView> {
    return this.#switch(id, false, expected, collection, response);
  }

  @Get('subscribers/:id/changes')
  async changes(
    @Param('id') id: string,
    @Query() given: unknown,
  ): Promise<SubscriberChangePageView> {
    const query = readQuery<ChangesQuery>(given, CHANGES_QUERY, this.settings);
    return subscriberChangePageView(orNotFound(await this.subscribers.changes(id, query, 'any')));
  }

  @Get('deliveries')
  async log(
    @Query() given: unknown,
  ): Promise<{ readonly items: readonly OperatorDeliveryView[]; readonly next: string | null }> {
    const { scope, asked } = scopeFrom<DeliveryQuery>(given, LOG_QUERY, this.settings);
    if (asked.subject !== undefined && !this.settings.bodies) throw badRequest([NO_SEARCH]);
    const { items, next } = await this.deliveries.list(asked, scope);
    return { items: await this.reports.withSubscribers(items, this.settings), next };
  }

  @Get('deliveries/:delivery')
  async delivery(@Param('delivery') id: string): Promise<OperatorDeliveryDetailsView> {
    const found = orNotFound(await this.deliveries.findById(id, 'any'), 'delivery');
    const [shown] = await this.reports.withSubscribers([found], this.settings);
    return shown!;
  }

  @Post('deliveries/:delivery/retry')
  @HttpCode(202)
  async retry(
    @Param('delivery') id: string,
    @Body(NOTHING) _body: unknown,
  ): Promise<{ readonly state: string }> {
    const state = orNotFound(await this.retries.retry(id, 'any'), 'delivery');
    if (state !== 'scheduled') throw retryRefused(state);
    return { state };
  }

  @Post('deliveries/retry')
  @HttpCode(200)
  async retrySelected(
    @Body(new JsonBodyPipe(SelectionDto)) body: unknown,
  ): Promise<SelectedRetriesView> {
    const { ids } = body as SelectionDto;
    return selectedRetriesView(await this.retries.retrySelected(ids, 'any'));
  }

  @Post('deliveries/:delivery/cancel')
  @HttpCode(200)
  async cancel(
    @Param('delivery') id: string,
    @Body(NOTHING) _body: unknown,
  ): Promise<{ readonly state: string }> {
    const state = orNotFound(await this.deliveries.cancel(id, 'any'), 'delivery');
    if (state !== 'cancelled') throw cancelRefused(state);
    return { state };
  }

  async #switch(
    id: string,
    enabled: boolean,
    expected: unknown,
    collection: string,
    response: HeaderResponse,
  ): Promise<OperatorSubscriberView> {
    const terms = { by: 'operator', ...ifMatch(expected) };
    const updated = await this.subscribers.update(id, { enabled }, 'any', terms);
    return this.#view(orNotFound(updated), collection, response);
  }

  async #view(
    subscriber: Subscriber,
    collection: string,
    response: HeaderResponse,
    query?: LastDayQuery,
  ): Promise<OperatorSubscriberView> {
    response.header('ETag', entityTag(subscriber));
    const view = await this.views.one(subscriber, `${collection}/${subscriber.id}`, query);
    return operatorSubscriberView({ subscriber, view });
  }

  #outbox(): OutboxStrategy {
    if (this.strategy instanceof OutboxStrategy) return this.strategy;
    throw problem('no-delivery-log', 'The application keeps no delivery log');
  }
}
