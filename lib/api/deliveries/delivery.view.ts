import { type OwnerAttempt, ownerReason, ownerView } from '../../delivery/index.js';
import type { DeliveryDetails, DeliveryRecord } from '../../outbox/index.js';

type AttemptRecord = DeliveryDetails['attempts'][number];

/** A delivery as the subscriber's owner sees it. */
export class DeliveryView {
  /** Sent as `Hook-Delivery`. */
  readonly id: string;
  /** The delivery's own URL. */
  readonly self: string;
  /** Id of the message, sent as `webhook-id`. */
  readonly messageId: string;
  readonly subscriberId: string;
  readonly event: string;
  readonly status: 'pending' | 'succeeded' | 'failed';
  /** Why it failed; null unless it did. */
  readonly reason: string | null;
  /** Requests made. */
  readonly attemptCount: number;
  /** The status of the answer to the latest attempt; null without one. */
  readonly latestStatus: number | null;
  readonly statusClass: DeliveryRecord['statusClass'];
  /** The earliest time of the next attempt; null once it is finished, and while a worker holds it or it is `blocked`. */
  readonly nextAt: string | null;
  /** True when the delivery waits for the rate limit of its subscriber alone. */
  readonly rateLimited: boolean;
  /** True while it waits for an earlier delivery of its key. */
  readonly blocked: boolean;
  /** True while it has failed and keeps later deliveries of its key back. */
  readonly holding: boolean;
  readonly createdAt: string;
  readonly attemptedAt: string | null;
  readonly finishedAt: string | null;

  constructor(delivery: DeliveryRecord, self: string) {
    this.id = delivery.id;
    this.self = self;
    this.messageId = delivery.messageId;
    this.subscriberId = delivery.subscriberId;
    this.event = delivery.event;
    this.status = delivery.status;
    this.reason = ownerReason(delivery.reason);
    this.attemptCount = delivery.attemptCount;
    this.latestStatus = delivery.latestStatus;
    this.statusClass = delivery.statusClass;
    this.nextAt = isoOf(delivery.nextAt);
    this.rateLimited = delivery.rateLimited;
    this.blocked = delivery.blocked;
    this.holding = delivery.holding;
    this.createdAt = new Date(delivery.createdAt).toISOString();
    this.attemptedAt = isoOf(delivery.attemptedAt);
    this.finishedAt = isoOf(delivery.finishedAt);
  }
}

/** One request of a delivery, as the subscriber's owner sees it: without the address that was dialled. */
export class AttemptView {
  /** 1 for the first. */
  readonly number: number;
  readonly startedAt: string;
  /** Milliseconds; null when the endpoint was unreachable. */
  readonly duration: number | null;
  /** The answer's status, or null when there was none. */
  readonly status: number | null;
  /** Why there was none, or null. */
  readonly error: OwnerAttempt<unknown>['error'];
  /** The first 16 KiB of the answer as text; null when it was empty, or was dropped since. */
  readonly response: string | null;
  /** The headers of the answer that are kept, names in lower case; null when none are. */
  readonly answerHeaders: Readonly<Record<string, string>> | null;

  constructor(attempt: AttemptRecord) {
    const { startedAt, duration, status, error, response, answerHeaders } = ownerView(attempt);
    this.number = attempt.number;
    this.startedAt = new Date(startedAt).toISOString();
    this.duration = duration;
    this.status = status;
    this.error = error;
    this.response = response;
    this.answerHeaders = answerHeaders;
  }
}

/** A delivery with its attempts, oldest first. */
export class DeliveryDetailsView extends DeliveryView {
  /** The delivery that it waits for while it is `blocked`. */
  readonly blockedBy: string | null;
  readonly attempts: readonly AttemptView[];

  constructor(delivery: DeliveryDetails, self: string) {
    super(delivery, self);
    this.blockedBy = delivery.blockedBy;
    this.attempts = delivery.attempts.map((attempt) => new AttemptView(attempt));
  }
}

/** One page of deliveries, newest first. */
export class DeliveryPageView {
  constructor(
    readonly items: readonly DeliveryView[],
    /** Pass it as `after` to read on; null on the last page. */
    readonly next: string | null,
  ) {}
}

function isoOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
