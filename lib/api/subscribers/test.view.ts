import { type Attempt, type OwnerAttempt, ownerView } from '../../delivery/index.js';

/** The result of a test, for the subscriber's owner. */
export class TestView {
  /** Id of the message, sent as `webhook-id`. */
  readonly messageId: string;
  /** Sent as `Hook-Delivery`. */
  readonly deliveryId: string;
  readonly event: string;
  readonly outcome: 'succeeded' | 'failed';
  /** The answer's status, or null when there was none. */
  readonly status: number | null;
  /** Why there was none, or null. */
  readonly error: OwnerAttempt<unknown>['error'];
  readonly startedAt: string;
  /** Milliseconds; null when the endpoint was unreachable. */
  readonly duration: number | null;

  constructor(attempt: Attempt) {
    this.messageId = attempt.messageId;
    this.deliveryId = attempt.deliveryId;
    this.event = attempt.event;
    this.outcome = attempt.outcome;
    const { status, error, startedAt, duration } = ownerView(attempt);
    this.status = status;
    this.error = error;
    this.startedAt = new Date(startedAt).toISOString();
    this.duration = duration;
  }
}
