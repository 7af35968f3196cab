import type { Attempt } from '../attempt/attempt.js';
import type { FailureReason } from '../attempt/delivery-status.js';
import type { AttemptFacts, DeliveryFacts } from './webhook-event-map.js';
import type { WebhookEvents } from './webhook-events.js';

/** The consequence of an attempt: the delivery has ended, or another attempt follows. */
export type NextStep =
  | { readonly ends: 'succeeded' }
  | { readonly ends: 'failed'; readonly reason: FailureReason }
  | { readonly ends: null; readonly nextAt: number };

/**
 * Emits the lifecycle event of an attempt.
 *
 * @param number requests made for the delivery, including this one
 */
export function emitAttempt(
  events: WebhookEvents,
  { attempt, number, host }: { readonly attempt: Attempt; number: number; host: () => string },
  sequel: NextStep,
): void {
  const { deliveryId, messageId, event, subscriberId } = attempt;
  const made = (): DeliveryFacts & AttemptFacts => ({
    deliveryId,
    messageId,
    event,
    subscriberId,
    host: host(),
    attempt: number,
    status: attempt.status,
    error: attempt.error?.code ?? null,
    duration: attempt.duration,
  });
  switch (sequel.ends) {
    case 'succeeded':
      events.emit('succeeded', made);
      break;
    case 'failed':
      events.emit('failed', () => ({ ...made(), reason: sequel.reason }));
      break;
    case null:
      events.emit('retry-scheduled', () => ({ ...made(), nextAt: sequel.nextAt }));
  }
  if (attempt.error?.code === 'recipient-refused') {
    const { message: explanation } = attempt.error;
    const facts = { deliveryId, messageId, event, subscriberId };
    events.emit('recipient-refused', () => ({ ...facts, host: host(), explanation }));
  }
}
