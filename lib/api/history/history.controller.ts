import { Controller, Get, Query, Res } from '@nestjs/common';
import { EventHistory, type HistoryQuery } from '../../dispatch/index.js';
import { EventCatalogue } from '../../event/index.js';
import { MessageFactory } from '../../message/index.js';
import type { OwnerScope } from '../../subscriber/index.js';
import { CollectionPath } from '../http/collection-path.decorator.js';
import { CallerScope } from '../http/owner.guard.js';
import { readQuery } from '../http/query.js';
import { ApiSettings } from '../options/api-options.js';
import type { HeaderResponse } from '../problems/private-response.js';
import {
  HISTORY_QUERY,
  historyEventView,
  type HistoryView,
  SAMPLES_QUERY,
  samplesView,
  type SamplesView,
} from './history.view.js';

/** The routes for readers that have no URL for webhooks and poll instead: past events, and samples of events. */
@Controller()
export class ThornHistoryController {
  constructor(
    private readonly history: EventHistory,
    private readonly catalogue: EventCatalogue,
    private readonly messages: MessageFactory,
    private readonly settings: ApiSettings,
  ) {}

  @Get('/events')
  async list(
    @CallerScope() scope: OwnerScope,
    @CollectionPath(1) collection: string,
    @Query() given: unknown,
    @Res() response: HeaderResponse,
  ): Promise<HistoryView> {
    const query = readQuery<HistoryQuery>(given, HISTORY_QUERY, this.settings);
    const { event, limit } = query;
    const { items, next, hasMore } = await this.history.page(query, scope);
    const link = new URLSearchParams({
      after: next,
      limit: String(limit),
      ...(event !== undefined && { event }),
    });
    response.header(
      'Link',
      `<${this.settings.self(collection, 'events')}?${link.toString()}>; rel="next"`,
    );
    return { items: items.map(historyEventView), next, hasMore };
  }

  /** Shows sample bodies of webhooks, for automation services whose users map the fields of a sample. */
  @Get('/events/samples')
  samples(@Query() given: unknown): SamplesView {
    const { event } = readQuery<{ readonly event?: string }>(given, SAMPLES_QUERY, this.settings);
    return samplesView(this.catalogue, this.messages, event);
  }
}
