import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  Deliveries,
  type DeliveryQuery,
  DeliveryReports,
  type ReplaySummary,
} from '../../outbox/index.js';
import { type OwnerScope, Subscribers } from '../../subscriber/index.js';
import { EmptyDto } from '../subscribers/subscriber-actions.dto.js';
import { ApiSettings } from '../options/api-options.js';
import { CollectionPath } from '../http/collection-path.decorator.js';
import { replay } from './bulk-replay.js';
import { BackfillDto, RecoverDto, SelectionDto } from './deliveries.dto.js';
import {
  cancelRefused,
  retryRefused,
  type SelectedRetriesView,
  selectedRetriesView,
} from './delivery-problems.js';
import { RecentRetries } from './recent-retries.js';
import { LOG_QUERY, OWN_LOG_QUERY, STATS_QUERY } from './log-query.js';
import { readQuery } from '../http/query.js';
import {
  type DeliveryDetailsView,
  deliveryDetailsView,
  type DeliveryPageView,
  type DeliveryView,
  deliveryView,
} from './delivery.view.js';
import { orNotFound } from '../problems/problem.js';
import { JsonBodyPipe } from '../http/json-body.pipe.js';
import { Needs } from '../http/portal.guard.js';
import { CallerScope } from '../http/owner.guard.js';
import { type StatsView, statsView } from './delivery-stats.view.js';

@Controller()
export class ThornDeliveriesController {
  constructor(
    private readonly deliveries: Deliveries,
    private readonly retries: RecentRetries,
    private readonly reports: DeliveryReports,
    private readonly subscribers: Subscribers,
    private readonly settings: ApiSettings,
  ) {}

  @Get('/:id/deliveries')
  async list(
    @CallerScope() scope: OwnerScope,
    @CollectionPath(2) collection: string,
    @Param('id') id: string,
    @Query() given: unknown,
  ): Promise<DeliveryPageView> {
    const query = readQuery<DeliveryQuery>(given, OWN_LOG_QUERY, this.settings);
    orNotFound(await this.subscribers.findById(id, scope));
    return this.#page({ ...query, subscriberId: id }, scope, collection);
  }

  @Get('/deliveries')
  async listAll(
    @CallerScope() scope: OwnerScope,
    @CollectionPath(1) collection: string,
    @Query() given: unknown,
  ): Promise<DeliveryPageView> {
    const query = readQuery<DeliveryQuery>(given, LOG_QUERY, this.settings);
    if (query.subscriberId !== undefined) {
      orNotFound(await this.subscribers.findById(query.subscriberId, scope));
    }
    return this.#page(query, scope, collection);
  }

  @Get('/:id/stats')
  async stats(
    @CallerScope() scope: OwnerScope,
    @Param('id') id: string,
    @Query() given: unknown,
  ): Promise<StatsView> {
    const { days } = readQuery<{ readonly days: number }>(given, STATS_QUERY, this.settings);
    const history = orNotFound(await this.deliveries.history({ subscriberId: id, days }, scope));
    return statsView(history, orNotFound(await this.reports.endpoint(id, scope)));
  }

  @Get('/deliveries/:delivery')
  async read(
    @CallerScope() scope: OwnerScope,
    @CollectionPath(2) collection: string,
    @Param('delivery') id: string,
  ): Promise<DeliveryDetailsView> {
    const delivery = orNotFound(await this.deliveries.findById(id, scope), 'delivery');
    const [found] = await this.reports.withSubscribers([delivery]);
    return deliveryDetailsView(found!, this.#self(collection, delivery.id));
  }

  @Post('/deliveries/:delivery/retry')
  @Needs('retry')
  @HttpCode(202)
  async retry(
    @CallerScope() scope: OwnerScope,
    @CollectionPath(3) collection: string,
    @Param('delivery') id: string,
    @Body(new JsonBodyPipe(EmptyDto)) _body: unknown,
  ): Promise<DeliveryView> {
    const result = orNotFound(await this.retries.retry(id, scope), 'delivery');
    if (result !== 'scheduled') throw retryRefused(result);
    return this.#view(id, scope, collection);
  }

  @Post('/deliveries/retry')
  @Needs('retry')
  @HttpCode(200)
  async retrySelected(
    @CallerScope() scope: OwnerScope,
    @Body(new JsonBodyPipe(SelectionDto)) body: unknown,
  ): Promise<SelectedRetriesView> {
    const { ids } = body as SelectionDto;
    return selectedRetriesView(await this.retries.retrySelected(ids, scope));
  }

  @Post('/deliveries/:delivery/cancel')
  @Needs('retry')
  @HttpCode(200)
  async cancel(
    @CallerScope() scope: OwnerScope,
    @CollectionPath(3) collection: string,
    @Param('delivery') id: string,
    @Body(new JsonBodyPipe(EmptyDto)) _body: unknown,
  ): Promise<DeliveryView> {
    const result = orNotFound(await this.deliveries.cancel(id, scope), 'delivery');
    if (result !== 'cancelled') throw cancelRefused(result);
    return this.#view(id, scope, collection);
  }

  @Post('/:id/recover')
  @Needs('retry')
  @HttpCode(200)
  recover(
    @CallerScope() scope: OwnerScope,
    @Param('id') id: string,
    @Body(new JsonBodyPipe(RecoverDto)) body: unknown,
  ): Promise<ReplaySummary> {
    return replay(id, body as RecoverDto, (options) => this.retries.retryFailed(options, scope));
  }

  @Post('/:id/backfill')
  @Needs('retry')
  @HttpCode(200)
  backfill(
    @CallerScope() scope: OwnerScope,
    @Param('id') id: string,
    @Body(new JsonBodyPipe(BackfillDto)) body: unknown,
  ): Promise<ReplaySummary> {
    return replay(id, body as BackfillDto, (options) => this.deliveries.backfill(options, scope));
  }

  async #page(
    query: DeliveryQuery,
    scope: OwnerScope,
    collection: string,
  ): Promise<DeliveryPageView> {
    const { items, next } = await this.deliveries.list(query, scope);
    const shown = await this.reports.withSubscribers(items);
    return {
      items: shown.map((item) => deliveryView(item, this.#self(collection, item.id))),
      next,
    };
  }

  #self(collection: string, id: string): string {
    return this.settings.self(`${collection}/deliveries`, id);
  }

  async #view(id: string, scope: OwnerScope, collection: string): Promise<DeliveryView> {
    const delivery = orNotFound(await this.deliveries.findById(id, scope), 'delivery');
    const [shown] = await this.reports.withSubscribers([delivery]);
    return deliveryView(shown!, this.#self(collection, id));
  }
}
