import type { AttemptErrorCode } from '../attempt/attempt.js';
import type { FailureReason } from '../attempt/delivery-status.js';

/** One delivery, as lifecycle events tell of it. */
export interface DeliveryFacts {
  /** `dlv_…`, sent as `Hook-Delivery`. */
  readonly deliveryId: string;
  /** Id of the message, sent as `webhook-id`. */
  readonly messageId: string;
  /** Name of the message's event. */
  readonly event: string;
  /** Id of the subscriber, sent as `Hook-Subscription`. */
  readonly subscriberId: string;
  /** Host and port of the subscriber's URL; the rest of it may hold secrets. */
  readonly host: string;
}

/** The attempt that a lifecycle event follows from. */
export interface AttemptFacts {
  /** Requests made for this delivery, this one included. */
  readonly attempt: number;
  /** The answer's status, or null when there was none. */
  readonly status: number | null;
  /** Why there was no answer, or null. */
  readonly error: AttemptErrorCode | null;
  /** How long it took in milliseconds. */
  readonly duration: number;
}

/** One subscriber, as lifecycle events tell of it. */
export interface SubscriberFacts {
  readonly subscriberId: string;
  /** The user it belongs to; null for the application's own. */
  readonly owner: string | null;
  /** Host and port of its URL; the rest of it may hold secrets. */
  readonly host: string;
  /** Start of the first failed attempt since the last success, in milliseconds since the Unix epoch, or null. */
  readonly failingSince: number | null;
  /** Messages that have failed at least once since then. */
  readonly failingMessages: number;
}

/** The lifecycle events of {@link WebhookEvents}, and what each carries. Times are milliseconds since the Unix epoch. */
export interface WebhookEventMap {
  /** A message was taken over: it will be delivered to everyone who matches. */
  readonly 'message-accepted': {
    readonly messageId: string;
    /** Name of the message's event. */
    readonly event: string;
    readonly owner: string | null;
    /** When the event happened. */
    readonly time: number;
  };
  /** A subscriber answered with a 2xx. */
  readonly succeeded: DeliveryFacts & AttemptFacts;
  /** An attempt failed, and there will be another one. */
  readonly 'retry-scheduled': DeliveryFacts & AttemptFacts & { readonly nextAt: number };
  /** A delivery ended without success. Without an attempt of its own (`attempt` null) when it was called off. */
  readonly failed: DeliveryFacts &
    (AttemptFacts | { readonly attempt: null }) & { readonly reason: FailureReason };
  /** A subscriber has begun to fail. Once until its next success. */
  readonly 'subscriber-failing': SubscriberFacts;
  /** A subscriber was disabled: its endpoint answered 410 (`gone`) or has failed for too long (`failing`). */
  readonly 'subscriber-disabled': SubscriberFacts & { readonly reason: 'gone' | 'failing' };
  /** The recipient policy let an attempt not go. `explanation` is for operators: it may name a private address. */
  readonly 'recipient-refused': DeliveryFacts & { readonly explanation: string };
}

/** Name of a lifecycle event. */
export type WebhookEventName = keyof WebhookEventMap;
