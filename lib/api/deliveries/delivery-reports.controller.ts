import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { EventCatalogue, type UncheckedPaths } from '../../event/index.js';
import { type AttemptFiguresQuery, DeliveryReports } from '../../outbox/index.js';
import { type OwnerScope, Subscribers, type SubscriberUpdate } from '../../subscriber/index.js';
import { checkedFields, GivenFieldsPipe } from '../http/given-fields.pipe.js';
import { Needs } from '../http/portal.guard.js';
import { CallerScope } from '../http/owner.guard.js';
import { ApiSettings } from '../options/api-options.js';
import { SubscriberViews } from '../subscribers/subscriber-views.js';
import { CollectionPath } from '../http/collection-path.decorator.js';
import { type EndpointOverviewView, endpointOverviewView } from './endpoint-overview.view.js';
import { PREVIEW_FIELDS } from '../subscribers/subscriber.view.js';
import { orNotFound } from '../problems/problem.js';
import {
  type AttemptHistoryView,
  attemptHistoryView,
  type FilterPreviewView,
  type SentRequestView,
} from './delivery-reports.view.js';
import { type EndpointStatesView, endpointStatesView } from './delivery-stats.view.js';
import { FIGURES_QUERY } from './log-query.js';
import { readQuery } from '../http/query.js';

const PREVIEW = new GivenFieldsPipe(PREVIEW_FIELDS, true);

@Controller()
export class ThornDeliveryReportsController {
  constructor(
    private readonly reports: DeliveryReports,
    private readonly views: SubscriberViews,
    private readonly subscribers: Subscribers,
    private readonly catalogue: EventCatalogue,
    private readonly settings: ApiSettings,
  ) {}

  @Get('/deliveries/:delivery/request')
  async request(
    @CallerScope() scope: OwnerScope,
    @Param('delivery') id: string,
  ): Promise<SentRequestView> {
    return orNotFound(await this.reports.request(id, scope), 'delivery');
  }

  @Get('/stats')
  async figures(
    @CallerScope() scope: OwnerScope,
    @Query() given: unknown,
  ): Promise<AttemptHistoryView> {
    const query = readQuery<AttemptFiguresQuery>(given, FIGURES_QUERY, this.settings);
    const found = await this.reports.figures(query, scope);
    return attemptHistoryView(orNotFound(found));
  }

  @Get('/health')
  async health(@CallerScope() scope: OwnerScope): Promise<EndpointStatesView> {
    return endpointStatesView(await this.reports.endpoints(scope));
  }

  @Get('/overview')
  async overview(
    @CallerScope() scope: OwnerScope,
    @CollectionPath(1) collection: string,
  ): Promise<EndpointOverviewView> {
    const { items, ...overview } = await this.reports.overview(scope);
    const shown = await this.views.all(
      items.map(({ subscriber }) => subscriber),
      (id) => this.settings.self(collection, id),
    );
    return endpointOverviewView(overview, shown, items);
  }

  @Post('/filter-preview')
  @Needs('read')
  @HttpCode(200)
  async preview(
    @CallerScope() scope: { readonly owner: string | null },
    @Body(PREVIEW) body: unknown,
  ): Promise<FilterPreviewView> {
    const offered = this.catalogue.offeredPatterns();
    const withDefaults = ({ filter = null, events = offered, exclude = [] }: SubscriberUpdate) => ({
      filter,
      events,
      exclude,
    });
    let warnings: readonly UncheckedPaths[] = [];
    const given = checkedFields<SubscriberUpdate>(body, (fields) => {
      this.subscribers.checkChanges(fields);
      warnings = this.subscribers.filterWarnings(withDefaults(fields));
    });
    const query = { ...withDefaults(given), owner: scope.owner };
    const found = await this.reports.previewFilter(query);
    const items = found
      .filter(({ event }) => this.catalogue.offers(event))
      .map(({ time, ...one }) => ({ ...one, time: new Date(time).toISOString() }));
    return { items, passed: items.filter(({ passes }) => passes).length, warnings };
  }
}
