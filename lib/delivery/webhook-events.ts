import type { AttemptErrorCode, FailureReason, Attempt } from './attempt/attempt.js';
import { channel } from 'node:diagnostics_channel';
import { Injectable } from '@nestjs/common';
import { FaultLog } from '../common/index.js';

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
  /** Start of the first failed attempt since the last success, in milliseconds since the Unix epoch. */
  readonly failingSince: number;
  /** Messages that have failed at least once since then. */
  readonly failingMessages: number;
  /** Percent of the way to being disabled, from 0 to 100; see docs/notices.md. */
  readonly share: number;
  /** The status of the last answer, or null without one. */
  readonly status: number | null;
  /** The error of the last attempt without an answer, or null. */
  readonly error: string | null;
  /** The earliest time at which the subscriber is disabled, in milliseconds since the Unix epoch, or null. */
  readonly disablesAt: number | null;
}

/** The events of {@link WebhookEvents} and their payloads. */
export interface WebhookEventMap {
  /** A message was accepted for delivery to every matching subscriber. */
  readonly 'message-accepted': {
    /** Id of the message, sent as `webhook-id`. */
    readonly messageId: string;
    /** Name of the message's event. */
    readonly event: string;
    /** The user that the event belongs to; null when it has no owner. */
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
    /** The number of the message among the messages of its key, sent as `Hook-Sequence`. */
    readonly sequence: number | null;
  };
  /**
   * A delivery failed for good, and its key stops for the ordered subscriber: until the delivery is retried or cancelled,
   * or until `until`.
   */
  readonly 'delivery-held': WebhookEventMap['delivery-skipped'] & { readonly until: number | null };
  /**
   * A subscriber fails, and has gone 50, 75 or 90 percent of the way to being disabled. Emitted once for each of them until the
   * next success.
   */
  readonly 'subscriber-failing': SubscriberFacts;
  /** A subscriber for which `subscriber-failing` was emitted has answered with a 2xx. The facts are those of its failures. */
  readonly 'subscriber-recovered': SubscriberFacts;
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

type Listener<Name extends WebhookEventName> = (payload: WebhookEventMap[Name]) => unknown;

const NAMES: Readonly<Record<WebhookEventName, true>> = {
  'message-accepted': true,
  succeeded: true,
  'retry-scheduled': true,
  failed: true,
  'delivery-skipped': true,
  'delivery-held': true,
  'subscriber-failing': true,
  'subscriber-recovered': true,
  'subscriber-disabled': true,
  'subscriber-expired': true,
  'recipient-refused': true,
};

// Held here, because Node garbage-collects an unreferenced channel together with its subscribers.
const channels = new Map(
  (Object.keys(NAMES) as WebhookEventName[]).map((name) => [name, channel(`thorn:${name}`)]),
);

/**
 * Notifies the application of lifecycle events of its webhooks. Injectable anywhere; see {@link WebhookEventMap} for
 * names and payloads. A payload never contains a secret, and only the host of a URL.
 *
 * Events are emitted once, in the process in which they happen. They are not stored; the delivery log is. An error of a
 * listener is logged and never affects a delivery, and a slow asynchronous listener delays no delivery.
 *
 * Each event is also published on the `node:diagnostics_channel` `thorn:<event>`, for observers outside of Nest. Node
 * reports an error of a subscriber to that channel as an uncaught exception.
 *
 * @example
 * ```ts
 * const stop = webhookEvents.on('subscriber-disabled', ({ owner, host, reason }) =>
 *   mailer.send(owner, `Your webhooks to ${host} were switched off: ${reason}`));
 * ```
 */
@Injectable()
export class WebhookEvents {
  readonly #faults = new FaultLog();
  readonly #listeners = new Map<WebhookEventName, readonly ((payload: never) => unknown)[]>();

  /** Adds a listener. @returns a function that removes the listener; calling it again does nothing */
  on<Name extends WebhookEventName>(name: Name, listener: Listener<Name>): () => void {
    // A wrapper of its own, so that a listener added twice is called twice and removed one by one.
    const entry = (payload: WebhookEventMap[Name]) => listener(payload);
    this.#listeners.set(name, [...this.#listenersOf(name), entry]);
    return () => {
      const others = this.#listenersOf(name).filter((other) => other !== entry);
      this.#listeners.set(name, others);
    };
  }

  /** Like {@link on}, for the next event alone. */
  once<Name extends WebhookEventName>(name: Name, listener: Listener<Name>): () => void {
    const stop = this.on(name, (payload) => {
      stop();
      return listener(payload);
    });
    return stop;
  }

  /** True when a listener exists, here or on the diagnostics channel. */
  isHeard(name: WebhookEventName): boolean {
    return this.#listenersOf(name).length > 0 || channels.get(name)!.hasSubscribers;
  }

  /**
   * Notifies all listeners in the order in which they were added.
   *
   * @param describe creates the payload; not called without listeners, which makes an unheard event almost free
   */
  emit<Name extends WebhookEventName>(name: Name, describe: () => WebhookEventMap[Name]): void {
    if (!this.isHeard(name)) return;
    const payload: WebhookEventMap[Name] = Object.freeze(describe()) as WebhookEventMap[Name];
    for (const listener of this.#listenersOf(name)) this.#tell(name, listener, payload);
    channels.get(name)!.publish(payload);
  }

  #tell<Name extends WebhookEventName>(
    name: Name,
    listener: (payload: never) => unknown,
    payload: WebhookEventMap[Name],
  ): void {
    try {
      const result = (listener as Listener<Name>)(payload);
      if (result instanceof Promise) result.catch((error: unknown) => this.#report(name, error));
    } catch (error) {
      this.#report(name, error);
    }
  }

  #listenersOf(name: WebhookEventName): readonly ((payload: never) => unknown)[] {
    return this.#listeners.get(name) ?? [];
  }

  #report(name: WebhookEventName, error: unknown): void {
    this.#faults.report(`A listener of the event ${name} failed`, error);
  }
}

/** The consequence of an attempt: the delivery has ended, or another attempt follows. */
export type NextStep =
  | { readonly ends: 'succeeded' }
  | { readonly ends: 'failed'; readonly reason: FailureReason }
  | { readonly ends: null; readonly nextAt: number };

/**
 * Emits the lifecycle event of an attempt.
 *
 * @param number requests made for the delivery, including this one
 */
export function emitAttempt(
  events: WebhookEvents,
  { attempt, number, host }: { readonly attempt: Attempt; number: number; host: () => string },
  sequel: NextStep,
): void {
  const { deliveryId, messageId, event, subscriberId } = attempt;
  const made = (): DeliveryFacts & AttemptFacts => ({
    deliveryId,
    messageId,
    event,
    subscriberId,
    host: host(),
    attempt: number,
    status: attempt.status,
    error: attempt.error?.code ?? null,
    duration: attempt.duration,
  });
  switch (sequel.ends) {
    case 'succeeded':
      events.emit('succeeded', made);
      break;
    case 'failed':
      events.emit('failed', () => ({ ...made(), reason: sequel.reason }));
      break;
    case null:
      events.emit('retry-scheduled', () => ({ ...made(), nextAt: sequel.nextAt }));
  }
  if (attempt.error?.code === 'recipient-refused') {
    const { message: explanation } = attempt.error;
    const facts = { deliveryId, messageId, event, subscriberId };
    events.emit('recipient-refused', () => ({ ...facts, host: host(), explanation }));
  }
}
