import type { DispatchStrategy } from '../dispatch/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import { OutboxStrategy } from './outbox.strategy.js';

/**
 * The durable strategy of the application, once its databases can be used.
 *
 * @throws {@link ThornConfigurationError} when it has another one
 */
export async function outboxOf(strategy: DispatchStrategy): Promise<OutboxStrategy> {
  if (!(strategy instanceof OutboxStrategy)) {
    throw new ThornConfigurationError(
      'Deliveries are kept by the strategy outbox() alone; set dispatch: outbox(), or leave it out',
    );
  }
  await strategy.ready();
  return strategy;
}
