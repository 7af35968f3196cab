import { expect, it } from 'vitest';
import { WebhookEvents } from '../delivery/index.js';
import { DisabledStrategy } from './strategies/disabled.strategy.js';
import { InMemorySubscriberRepository } from '../subscriber/index.js';
import { MovableClock } from '../testing/index.js';
import { SubscriberExpiry } from './subscriber-expiry.js';

class SilentRepository extends InMemorySubscriberRepository {
  override markExpired(): Promise<never> {
    return new Promise(() => undefined);
  }
}

it('does not keep an application from ending while the subscribers cannot be read', async () => {
  const expiry = new SubscriberExpiry(
    new SilentRepository(),
    new WebhookEvents(),
    new MovableClock(),
    new DisabledStrategy(),
  );
  void expiry.pass();
  const began = performance.now();
  await expiry.onModuleDestroy();
  expect(performance.now() - began).toBeLessThan(5000);
});
