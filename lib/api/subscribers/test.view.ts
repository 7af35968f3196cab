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
  /** The first 16 KiB of the answer as text; null when it was empty. */
  readonly response: string | null;
  /** The headers of the answer that are kept, names in lower case; null when none are. */
  readonly answerHeaders: Readonly<Record<string, string>> | null;

  constructor(attempt: Attempt) {
    this.messageId = attempt.messageId;
    this.deliveryId = attempt.deliveryId;
    this.event = attempt.event;
    this.outcome = attempt.outcome;
    const { status, error, startedAt, duration, response, answerHeaders } = ownerView(attempt);
    this.status = status;
    this.error = error;
    this.startedAt = new Date(startedAt).toISOString();
    this.duration = duration;
    this.response = response.length === 0 ? null : response.toString();
    this.answerHeaders = answerHeaders;
  }
}
