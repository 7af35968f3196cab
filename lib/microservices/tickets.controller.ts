import { Controller, type OnModuleInit, type Type } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { DispatchStrategy } from '../dispatch/index.js';
import { OutboxStrategy } from '../outbox/index.js';
import { MicroservicesRelay } from './microservices-relay.js';

/** Creates a controller that listens to the event on every microservice of the application. */
export function createTicketsController(pattern: string): Type<object> {
  @Controller()
  class ThornTicketsController implements OnModuleInit {
    #relay: MicroservicesRelay | null = null;

    constructor(private readonly strategy: DispatchStrategy) {}

    onModuleInit(): void {
      const relay = this.strategy instanceof OutboxStrategy ? this.strategy.relay : undefined;
      // Tests may have replaced the strategy.
      if (relay instanceof MicroservicesRelay) this.#relay = relay;
    }

    @EventPattern(pattern)
    async receive(@Payload() batch: unknown, @Ctx() context: unknown): Promise<void> {
      await this.#relay?.receive(batch, context);
    }
  }
  return ThornTicketsController;
}
