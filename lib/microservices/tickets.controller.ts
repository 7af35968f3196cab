import { Controller, type OnModuleInit, type Type } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { DispatchStrategy } from '../dispatch/index.js';
import { OutboxStrategy } from '../outbox/index.js';
import { MicroservicesRelay } from './microservices-relay.js';

/** Takes the tickets that a broker brings to every microservice of the application. */
@Controller()
export class ThornTicketsController implements OnModuleInit {
  #relay: MicroservicesRelay | null = null;

  constructor(private readonly strategy: DispatchStrategy) {}

  onModuleInit(): void {
    const relay = this.strategy instanceof OutboxStrategy ? this.strategy.relay : undefined;
    // Tests may have replaced the strategy.
    if (relay instanceof MicroservicesRelay) this.#relay = relay;
  }

  async receive(batch: unknown, context: unknown): Promise<void> {
    await this.#relay?.receive(batch, context);
  }
}

/**
 * Makes the controller of an application, which listens to its event. The event is metadata of the method, and two
 * applications of one process may have different ones.
 */
export function listeningTo(event: string): Type<object> {
  @Controller()
  class Listening extends ThornTicketsController {
    @EventPattern(event)
    override receive(@Payload() batch: unknown, @Ctx() context: unknown): Promise<void> {
      return super.receive(batch, context);
    }
  }
  Object.defineProperty(Listening, 'name', { value: ThornTicketsController.name });
  return Listening;
}
