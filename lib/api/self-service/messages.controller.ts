import { Controller, Get, Param, Req } from '@nestjs/common';
import { EventCatalogue } from '../../event/index.js';
import { DeliveryReports } from '../../outbox/index.js';
import type { OwnerScope } from '../../subscriber/index.js';
import { CallerScope } from '../http/owner.guard.js';
import { orNotFound, problem } from '../problems/problem.js';
import { knownSubscription } from './subscription.guard.js';

/**
 * The route at which receivers of bodies without data fetch it. A receiver proves itself as at its own subscription; an owner
 * as on every route.
 */
@Controller()
export class ThornMessagesController {
  constructor(
    private readonly reports: DeliveryReports,
    private readonly catalogue: EventCatalogue,
  ) {}

  @Get('/events/:message')
  async read(
    @CallerScope() scope: Exclude<OwnerScope, 'any'>,
    @Param('message') id: string,
    @Req() request: object,
  ): Promise<unknown> {
    const found = await this.reports.body(id, knownSubscription(request) ?? scope);
    const seen = found !== null && this.catalogue.offers(found.event) ? found : null;
    const { json } = orNotFound(seen, 'message');
    if (json === null) throw problem('message-expunged', 'The body of the message was dropped');
    return JSON.parse(json.toString()) as unknown;
  }
}
