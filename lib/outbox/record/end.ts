import type { Clock } from '../../common/time.js';
import type { WebhookEvents } from '../../delivery/index.js';
import type { Outcome } from '../outcome.js';
import type { DeliveryState } from '../delivery-states.js';
import type { HeldLease } from '../store/held-leases.js';
import type { OutboxStore } from '../store/outbox-store.js';
import type { ClaimedDelivery } from '../tables/deliveries.js';
import { fail } from './fail.js';

/** A claimed delivery that can have no further attempt. */
export interface AbandonedDelivery {
  readonly store: OutboxStore;
  readonly claimed: ClaimedDelivery;
  /** Empty when the message is gone. */
  readonly event: string;
  readonly heldLease: HeldLease;
}

/** Ends a claimed delivery without an attempt: its message or its subscriber is gone. */
export function end(
  abandoned: AbandonedDelivery,
  reason: 'disabled' | 'cancelled',
  { events, clock }: { readonly events: WebhookEvents; readonly clock: Clock },
): void {
  const pending = pendingState(abandoned.claimed);
  const state = fail(pending, reason, pending.attempts);
  const outcome = recordAbandoned(abandoned, state, clock.now());
  events.emit('failed', () => ({ ...factsOf(outcome), attempt: null, reason }));
}

/** The state of a claimed delivery that waits for its next attempt. */
export function pendingState({ attempts, throttled }: ClaimedDelivery): DeliveryState {
  return { status: 'pending', attempts, throttled, nextAt: null, reason: null };
}

/** Adds the end of a claimed delivery to the next set of outcomes that is written. */
export function recordAbandoned(
  { store, claimed, event, heldLease }: AbandonedDelivery,
  state: DeliveryState,
  at: number,
): Outcome {
  const { id, messageId, subscriberId, host, requests, attemptedAt, keyHash } = claimed;
  const outcome: Outcome = {
    ...{ id, messageId, subscriberId, event, host, state, requests, attemptedAt, keyHash },
    previousAttemptAt: attemptedAt,
    isNew: false,
    at,
    attempt: null,
    disablesSubscriber: false,
    get lease() {
      return heldLease.token;
    },
  };
  store.recorder.add(outcome);
  return outcome;
}

/** The facts of a delivery in the events that tell its end. */
export function factsOf({ id, messageId, event, subscriberId, host }: Outcome) {
  return { deliveryId: id, messageId, event, subscriberId, host };
}
