import type { AttemptErrorCode } from '../attempt/attempt.js';
import type { FailureReason } from '../attempt/delivery-status.js';

/** One delivery in lifecycle events. */
export interface DeliveryFacts {
  /** `dlv_…`, sent as `Hook-Delivery`. */
  readonly deliveryId: string;
  /** Id of the message, sent as `webhook-id`. */
  readonly messageId: string;
  /** Name of the message's event. */
  readonly event: string;
  /** Id of the subscriber, sent as `Hook-Subscription`. */
  readonly subscriberId: string;
  /** Host and port of the subscriber's URL; the rest of the URL may contain secrets. */
  readonly host: string;
}

/** The attempt that caused a lifecycle event. */
export interface AttemptFacts {
  /** Requests made for this delivery, including this one. */
  readonly attempt: number;
  /** The status of the answer, or null without an answer. */
  readonly status: number | null;
  /** The error of a request without an answer, or null. */
  readonly error: AttemptErrorCode | null;
  /** The duration in milliseconds. */
  readonly duration: number;
}

/** One subscriber in lifecycle events. */
export interface SubscriberFacts {
  /** Id of the subscriber, sent as `Hook-Subscription`. */
  readonly subscriberId: string;
  /** The user that owns the subscriber; null for the application's own. */
  readonly owner: string | null;
  /** Host and port of the subscriber's URL; the rest of the URL may contain secrets. */
  readonly host: string;
  /** Start of the first failed attempt since the last success, in milliseconds since the Unix epoch, or null. */
  readonly failingSince: number | null;
  /** Messages that have failed at least once since then. */
  readonly failingMessages: number;
}

/** The events of {@link WebhookEvents} and their payloads. */
export interface WebhookEventMap {
  /** A message was accepted for delivery to every matching subscriber. */
  readonly 'message-accepted': {
    /** Id of the message, sent as `webhook-id`. */
    readonly messageId: string;
    /** Name of the message's event. */
    readonly event: string;
    /** The user that owns what happened; null when nobody does. */
    readonly owner: string | null;
    /** The time of the application's event. */
    readonly time: number;
  };
  /** A subscriber answered with a 2xx. */
  readonly succeeded: DeliveryFacts & AttemptFacts;
  /** An attempt failed, and another attempt follows. */
  readonly 'retry-scheduled': DeliveryFacts & AttemptFacts & { readonly nextAt: number };
  /** A delivery ended without success. `attempt` is null when the delivery was cancelled. */
  readonly failed: DeliveryFacts &
    (AttemptFacts | { readonly attempt: null }) & { readonly reason: FailureReason };
  /** A delivery failed for good, and the next message of its key goes to the ordered subscriber. */
  readonly 'delivery-skipped': DeliveryFacts & {
    readonly reason: FailureReason;
    /** The key of the message, sent as `Hook-Key`. */
    readonly key: string | null;
    /** The number of the message among those of its key, sent as `Hook-Sequence`. */
    readonly sequence: number | null;
  };
  /**
   * A delivery failed for good, and its key stops for the ordered subscriber: until the delivery is retried or cancelled,
   * or until `until`.
   */
  readonly 'delivery-held': WebhookEventMap['delivery-skipped'] & { readonly until: number | null };
  /** A subscriber has begun to fail. Emitted once until the next success. */
  readonly 'subscriber-failing': SubscriberFacts;
  /** A subscriber was disabled: the endpoint answered 410 (`gone`) or has failed for too long (`failing`). */
  readonly 'subscriber-disabled': SubscriberFacts & { readonly reason: 'gone' | 'failing' };
  /** The end of a subscriber has passed. Emitted within a minute or so, once until it is renewed. */
  readonly 'subscriber-expired': Pick<SubscriberFacts, 'subscriberId' | 'owner' | 'host'> & {
    readonly expiresAt: number;
  };
  /** The recipient policy refused an attempt. `explanation` is for operators: it may contain a private address. */
  readonly 'recipient-refused': DeliveryFacts & { readonly explanation: string };
}

/** Name of a lifecycle event. */
export type WebhookEventName = keyof WebhookEventMap;
