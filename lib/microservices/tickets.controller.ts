import { Controller, Inject, type OnModuleInit, type Type } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { DispatchStrategy } from '../dispatch/index.js';
import { OutboxStrategy } from '../outbox/index.js';
import { MicroservicesRelay } from './microservices-relay.js';

/** Listens to the event, on whatever microservice the application connects. */
export function ticketsController(pattern: string): Type<object> {
  @Controller()
  class ThornTicketsController implements OnModuleInit {
    #relay: MicroservicesRelay | null = null;

    constructor(@Inject(DispatchStrategy) private readonly strategy: DispatchStrategy) {}

    onModuleInit(): void {
      const relay = this.strategy instanceof OutboxStrategy ? this.strategy.relay : undefined;
      // Another strategy may have been put in its place, as tests do.
      if (relay instanceof MicroservicesRelay) this.#relay = relay;
    }

    @EventPattern(pattern)
    async receive(@Payload() parcel: unknown, @Ctx() context: unknown): Promise<void> {
      await this.#relay?.receive(parcel, context);
    }
  }
  return ThornTicketsController;
}
