import { hasEnded } from '../../message/recipient.js';
import type { Subscriber } from './subscriber.js';

/**
 * How a subscriber is. `expired`: its end has passed. `unverified`: its endpoint has not answered the challenge yet.
 * `disabled`: it is not enabled. `failing`: attempts have only failed since the latest success. `active`: none of these.
 */
export const SUBSCRIBER_STATES = [
  ...(['active', 'failing', 'disabled', 'unverified', 'expired'] as const),
] as const;
export type SubscriberState = (typeof SUBSCRIBER_STATES)[number];

/** @param failingSince null where the endpoint does not fail, or nobody knows */
export function subscriberState(
  subscriber: Pick<Subscriber, 'enabled' | 'verification' | 'expiresAt'>,
  failingSince: number | null,
  now: number,
): SubscriberState {
  if (hasEnded(subscriber, now)) return 'expired';
  if (subscriber.verification === 'pending') return 'unverified';
  if (!subscriber.enabled) return 'disabled';
  return failingSince === null ? 'active' : 'failing';
}
