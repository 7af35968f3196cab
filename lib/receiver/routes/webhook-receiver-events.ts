import { Logger } from '@nestjs/common';
import { stackFrames, errorText } from '../../common/index.js';
import type { RejectionReason } from '../schemes/webhook-rejected.error.js';

/** One verified message, as events tell of it. */
export interface ReceivedMessageFacts {
  /** Name of the receiver. */
  readonly receiver: string;
  readonly id: string | null;
  /** The event's name, or null when the message does not say. */
  readonly event: string | null;
}

/** What each event of {@link WebhookReceiverEvents} carries: never a secret, a signature or a body. */
export interface WebhookReceiverEventMap {
  /** A webhook could not be verified or read; whoever sent it was told no reason. */
  readonly rejected: {
    readonly receiver: string;
    readonly reason: RejectionReason;
    /** A sentence part for people. */
    readonly explanation: string;
  };
  /** A verified webhook is about to be handled: the first try, or another one after a handler that threw. */
  readonly accepted: ReceivedMessageFacts;
  /** A verified webhook is a repetition: of one that is processed, or that is being processed by another try. */
  readonly duplicate: ReceivedMessageFacts & { readonly state: 'processed' | 'in-progress' };
}

type EventName = keyof WebhookReceiverEventMap;
type Listener<Name extends EventName> = (payload: WebhookReceiverEventMap[Name]) => unknown;
type Listeners = { readonly [Name in EventName]: Set<{ readonly listener: Listener<Name> }> };

/**
 * Tells the application what becomes of the webhooks that it receives. Injectable anywhere. What a listener throws, or
 * rejects with, is logged and never reaches a request.
 *
 * @example
 * ```ts
 * receiverEvents.on('rejected', ({ receiver, reason }) => metrics.count('webhooks.rejected', { receiver, reason }));
 * ```
 */
export class WebhookReceiverEvents {
  readonly #logger = new Logger('ThornReceiver');
  readonly #listeners: Listeners = {
    rejected: new Set(),
    accepted: new Set(),
    duplicate: new Set(),
  };

  /** @returns a function that ends it; calling it again does nothing */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    // An object of its own, so that a listener that is given twice is called twice, and ended one by one.
    const entry = { listener };
    const listeners = this.#listeners[name];
    listeners.add(entry);
    return () => void listeners.delete(entry);
  }

  /** Tells all listeners, in the order in which they came. */
  emit<Name extends EventName>(name: Name, payload: WebhookReceiverEventMap[Name]): void {
    Object.freeze(payload);
    for (const { listener } of [...this.#listeners[name]]) {
      // In a promise, so that both ways of failing are one.
      new Promise((resolve) => resolve(listener(payload))).catch((error: unknown) => {
        this.#logger.error(
          `A listener of the event ${name} failed: ${errorText(error)}`,
          stackFrames(error),
        );
      });
    }
  }
}
