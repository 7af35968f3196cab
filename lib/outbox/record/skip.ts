import type { Clock } from '../../common/time.js';
import type { WebhookEvents } from '../../delivery/index.js';
import type { Message } from '../../message/index.js';
import type { Outcome } from '../outcome.js';
import type { DeliveryState } from '../delivery-states.js';
import { type AbandonedDelivery, factsOf, pendingState, recordAbandoned } from './end.js';

/**
 * Ends the hold of a delivery that has failed for good: the next delivery of its key goes on.
 *
 * @param message null when it is gone
 */
export function skip(
  abandoned: AbandonedDelivery,
  message: Message | null,
  { events, clock }: { readonly events: WebhookEvents; readonly clock: Clock },
): void {
  const reason = abandoned.claimed.reason!;
  const state: DeliveryState = { ...pendingState(abandoned.claimed), status: 'failed', reason };
  const outcome = recordAbandoned(abandoned, state, clock.now());
  events.emit('delivery-skipped', () => lastFactsOf(outcome, message));
}

/** The facts of an ordered delivery that has failed for good. @param message null when it is gone */
export function lastFactsOf(outcome: Outcome, message: Message | null) {
  const { key, sequence } = message ?? { key: null, sequence: null };
  return { ...factsOf(outcome), reason: outcome.state.reason!, key, sequence };
}
