import { Controller, Get, Param, Req } from '@nestjs/common';
import { EventCatalogue } from '../../event/index.js';
import { DeliveryReports } from '../../outbox/index.js';
import { isStaticId, type OwnerScope } from '../../subscriber/index.js';
import { CallerScope } from '../http/owner.guard.js';
import { orNotFound, problem } from '../problems/problem.js';
import { knownReader } from './subscription.guard.js';

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
    const reader = knownReader(request);
    const found = await this.reports.body(id, reader ?? scope);
    // The application declares its own subscribers for events that it does not offer as well.
    const isSeen = (event: string) =>
      (reader !== undefined && isStaticId(reader.id)) || this.catalogue.offers(event);
    const seen = found !== null && isSeen(found.event) ? found : null;
    const { json } = orNotFound(seen, 'message');
    if (json === null) throw problem('message-expunged', 'The body of the message was dropped');
    return JSON.parse(json.toString()) as unknown;
  }
}
