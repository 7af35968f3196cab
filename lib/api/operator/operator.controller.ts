import { Body, Delete, Get, HttpCode, Inject, Param, Post, Query, type Type } from '@nestjs/common';
import { DispatchStrategy } from '../../dispatch/index.js';
import { WireFormat } from '../../message/index.js';
import {
  Deliveries,
  type DeliveryDetails,
  type DeliveryPage,
  type DeliveryQuery,
  DeliveryReports,
  OutboxStrategy,
} from '../../outbox/index.js';
import { type SubscriberQuery, Subscribers } from '../../subscriber/index.js';
import { EmptyDto } from '../subscribers/subscriber-actions.dto.js';
import { SubscriberQueryPipe } from '../subscribers/subscriber-query.pipe.js';
import { orNotFound, problem } from '../problems/errors.js';
import { CollectionPath } from '../http/collection-path.decorator.js';
import { retryRefused } from '../deliveries/delivery-problems.js';
import { DeliveryQueryPipe } from '../deliveries/delivery-query.pipe.js';
import { JsonBodyPipe } from '../http/json-body.pipe.js';
import { OperatorController } from '../http/controller.decorators.js';
import type { OperatorSettings } from '../options/operator-options.js';
import { OperatorSubscriberView } from './operator-subscriber.view.js';
import { scopeFrom } from './owner-query.js';
import { PauseDto } from './pause.dto.js';

const NOTHING = new JsonBodyPipe(EmptyDto);

/** The routes that show and change single things. */
export function operatorController(settings: OperatorSettings): Type<unknown> {
  @OperatorController(settings)
  class ThornOperatorController {
    constructor(
      @Inject(Subscribers) private readonly subscribers: Subscribers,
      @Inject(Deliveries) private readonly deliveries: Deliveries,
      @Inject(DeliveryReports) private readonly reports: DeliveryReports,
      @Inject(DispatchStrategy) private readonly strategy: DispatchStrategy,
      @Inject(WireFormat) private readonly format: WireFormat,
    ) {}

    /** Answers the work that waits, the work of this process, pauses and failing endpoints. */
    @Get('overview')
    async overview(): Promise<object> {
      const outbox = this.#outbox();
      const [stats, pauses, failing] = await Promise.all([
        this.deliveries.stats(),
        outbox.pauses(),
        this.reports.failing(),
      ]);
      return {
        ...stats,
        isWorker: outbox.isWorker(),
        activity: outbox.activity(),
        endpoints: outbox.endpoints(),
        pauses,
        failing,
      };
    }

    /** Lets nothing be sent to a host, or to any with `*`. */
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
    async list(
      @CollectionPath(0) collection: string,
      @Query('owner') owner: unknown,
      @Query(new SubscriberQueryPipe()) query: unknown,
    ): Promise<object> {
      const scope = scopeFrom(owner);
      const { items, next } = await this.subscribers.list(query as SubscriberQuery, scope);
      return {
        items: items.map((item) => new OperatorSubscriberView(item, collection, this.format)),
        next,
      };
    }

    @Get('subscribers/:id')
    async read(
      @CollectionPath(1) collection: string,
      @Param('id') id: string,
    ): Promise<OperatorSubscriberView> {
      const subscriber = orNotFound(await this.subscribers.findById(id, 'any'));
      return new OperatorSubscriberView(subscriber, collection, this.format);
    }

    @Post('subscribers/:id/enable')
    @HttpCode(200)
    enable(
      @CollectionPath(2) collection: string,
      @Param('id') id: string,
      @Body(NOTHING) _body: unknown,
    ): Promise<OperatorSubscriberView> {
      return this.#switch(id, true, collection);
    }

    @Post('subscribers/:id/disable')
    @HttpCode(200)
    disable(
      @CollectionPath(2) collection: string,
      @Param('id') id: string,
      @Body(NOTHING) _body: unknown,
    ): Promise<OperatorSubscriberView> {
      return this.#switch(id, false, collection);
    }

    @Get('deliveries')
    async log(
      @Query('owner') owner: unknown,
      @Query(new DeliveryQueryPipe()) query: unknown,
    ): Promise<DeliveryPage> {
      return this.deliveries.list(query as DeliveryQuery, scopeFrom(owner));
    }

    @Get('deliveries/:delivery')
    async delivery(@Param('delivery') id: string): Promise<DeliveryDetails> {
      return orNotFound(await this.deliveries.findById(id, 'any'), 'delivery');
    }

    @Post('deliveries/:delivery/retry')
    @HttpCode(202)
    async retry(
      @Param('delivery') id: string,
      @Body(NOTHING) _body: unknown,
    ): Promise<{ readonly state: string }> {
      const state = orNotFound(await this.deliveries.retry(id, 'any'), 'delivery');
      if (state !== 'scheduled') throw retryRefused(state);
      return { state };
    }

    @Post('deliveries/:delivery/cancel')
    @HttpCode(200)
    async cancel(
      @Param('delivery') id: string,
      @Body(NOTHING) _body: unknown,
    ): Promise<{ readonly state: string }> {
      return { state: orNotFound(await this.deliveries.cancel(id, 'any'), 'delivery') };
    }

    async #switch(
      id: string,
      enabled: boolean,
      collection: string,
    ): Promise<OperatorSubscriberView> {
      const updated = await this.subscribers.update(id, { enabled }, 'any');
      return new OperatorSubscriberView(orNotFound(updated), collection, this.format);
    }

    #outbox(): OutboxStrategy {
      if (this.strategy instanceof OutboxStrategy) return this.strategy;
      throw problem('no-delivery-log', 'The application keeps no delivery log');
    }
  }

  return ThornOperatorController;
}
