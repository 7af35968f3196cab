import type { Attempt } from '../../delivery/index.js';
import type { DeliveryState } from './delivery-state.js';

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
  /** When the latest attempt began; null when there was none yet. */
  readonly attemptedAt: number | null;
  /** When the one before it began; null when there was none. */
  readonly previousAttemptAt: number | null;
  /** The token of the lease: the message's while the delivery has no row, else its own. */
  readonly lease: string;
  /** Whether the delivery has no row yet. */
  readonly isNew: boolean;
  /** When the outcome was known. */
  readonly at: number;
  readonly attempt: Attempt | null;
  /** When the rate limit is expected to let it through, if that is all it waits for; else null. */
  readonly permitAt: number | null;
  /** Whether the endpoint said that it is gone for good (410). */
  readonly disablesSubscriber: boolean;
}

/** Decides which attempts get a row. In the outbox this is the `DeliveryLogNotifier`. */
export interface AttemptFilter {
  keeps(outcome: Outcome): boolean;
}
