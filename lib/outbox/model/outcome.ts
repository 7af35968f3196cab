import type { Attempt } from '../../delivery/index.js';
import type { DeliveryState } from './delivery-state.js';

/** What became of a delivery; one row is written, and one for the attempt if there was one that is kept. */
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
  /** The token of the holder: of its message, as long as it has no row, else of the delivery itself. */
  readonly lease: string;
  /** Whether it has no row yet. */
  readonly isNew: boolean;
  /** When this was known. */
  readonly at: number;
  readonly attempt: Attempt | null;
  /** When its turn is expected, if it waits for the limit of its subscriber alone; else null. */
  readonly turnAt: number | null;
  /** Whether the endpoint said that it is gone for good. */
  readonly disablesSubscriber: boolean;
}

/** Whether the outcome's attempt gets a row. */
export type KeepsAttempt = (outcome: Outcome) => boolean;
