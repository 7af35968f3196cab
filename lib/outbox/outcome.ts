import type { Attempt } from '../delivery/index.js';
import type { DeliveryState } from './delivery-states.js';

/** The outcome of an attempt, or of a delivery that gets none: one row, and one for the attempt when the log keeps it. */
export interface Outcome {
  readonly id: string;
  readonly messageId: string;
  readonly subscriberId: string;
  readonly event: string;
  readonly host: string;
  readonly state: DeliveryState;
  /** Requests made, this one included. */
  readonly requests: number;
  /** The start of the latest attempt; null before the first attempt. */
  readonly attemptedAt: number | null;
  /** The start of the attempt before the latest one; null without one. */
  readonly previousAttemptAt: number | null;
  /** The token of the lease: the message's while the delivery has no row, else its own. */
  readonly lease: string;
  /** A hash of the key among whose deliveries to the subscriber this one has its turn; null when it is not ordered. */
  readonly keyHash: string | null;
  /** True when the delivery has no row yet. */
  readonly isNew: boolean;
  /** The time at which the outcome was known. */
  readonly at: number;
  readonly attempt: Attempt | null;
  /** True when the endpoint answered 410 (gone). */
  readonly disablesSubscriber: boolean;
}

/** Decides which attempts get a row. In the outbox this is the `DeliveryLogNotifier`. */
export interface AttemptFilter {
  keeps(outcome: Outcome): boolean;
}
