import { Get, Inject, Query, Res, type Type } from '@nestjs/common';
import { EventHistory, type HistoryQuery } from '../../dispatch/index.js';
import { EventCatalogue } from '../../event/index.js';
import { MessageFactory } from '../../message/index.js';
import type { OwnerScope } from '../../subscriber/index.js';
import { CollectionPath } from '../http/collection-path.decorator.js';
import { ApiController } from '../http/controller.decorators.js';
import { CallerScope } from '../http/owner.guard.js';
import { QueryPipe } from '../http/query.pipe.js';
import type { ApiSettings } from '../options/api-options.js';
import type { HeaderResponse } from '../problems/header-response.js';
import {
  HISTORY_QUERY,
  historyEventView,
  type HistoryView,
  SAMPLES_QUERY,
  samplesView,
  type SamplesView,
} from './history.view.js';

/** The routes for readers that cannot be called: what was sent, and samples of it. */
export function historyController(settings: ApiSettings): Type<unknown> {
  @ApiController(settings)
  class ThornHistoryController {
    constructor(
      @Inject(EventHistory) private readonly history: EventHistory,
      @Inject(EventCatalogue) private readonly catalogue: EventCatalogue,
      @Inject(MessageFactory) private readonly messages: MessageFactory,
    ) {}

    @Get('/events')
    async list(
      @CallerScope() scope: OwnerScope,
      @CollectionPath(1) collection: string,
      @Query(new QueryPipe(HISTORY_QUERY, settings.queryParameters)) query: unknown,
      @Res() response: HeaderResponse,
    ): Promise<HistoryView> {
      const { event, limit } = query as HistoryQuery;
      const { items, next, hasMore } = await this.history.page(query as HistoryQuery, scope);
      const link = new URLSearchParams({
        after: next,
        limit: String(limit),
        ...(event !== undefined && { event }),
      });
      response.header(
        'Link',
        `<${settings.self(collection, 'events')}?${link.toString()}>; rel="next"`,
      );
      return { items: items.map(historyEventView), next, hasMore };
    }

    /** Shows bodies of webhooks, for the editors of automation services. */
    @Get('/events/samples')
    samples(
      @Query(new QueryPipe(SAMPLES_QUERY, settings.queryParameters)) query: unknown,
    ): SamplesView {
      const { event } = query as { readonly event?: string };
      return samplesView(this.catalogue, this.messages, event);
    }
  }

  return ThornHistoryController;
}
