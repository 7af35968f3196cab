import { FaultLog } from '../../common/index.js';
import type { RejectionReason } from '../schemes/signed-request.js';

/** A verified message, as events describe it. */
export interface ReceivedMessageFacts {
  /** Name of the receiver. */
  readonly receiver: string;
  readonly id: string | null;
  /** The event's name, or null when the message does not name it. */
  readonly event: string | null;
}

/** Payloads of {@link WebhookReceiverEvents}: never with a secret, a signature or a body. */
export interface WebhookReceiverEventMap {
  /** A webhook could not be verified or read; the response did not say why. */
  readonly rejected: {
    readonly receiver: string;
    readonly reason: RejectionReason;
    /** A sentence part for operators. */
    readonly explanation: string;
  };
  /** A verified webhook is about to be handled: the first attempt, or another one after a handler that threw. */
  readonly accepted: ReceivedMessageFacts;
  /** A verified webhook repeats a message that is processed, or that another attempt is processing. */
  readonly duplicate: ReceivedMessageFacts & { readonly state: 'processed' | 'in-progress' };
  /** A verified webhook is older than one of its key that is processed. */
  readonly older: ReceivedMessageFacts & { readonly key: string; readonly sequence: number };
}

type EventName = keyof WebhookReceiverEventMap;
type Listener<Name extends EventName> = (payload: WebhookReceiverEventMap[Name]) => unknown;
type Listeners = { readonly [Name in EventName]: Set<{ readonly listener: Listener<Name> }> };

/**
 * Emits events about received webhooks. Injectable anywhere. Errors of listeners, thrown or rejected, are logged and
 * never reach a request.
 *
 * @example
 * ```ts
 * receiverEvents.on('rejected', ({ receiver, reason }) => metrics.count('webhooks.rejected', { receiver, reason }));
 * ```
 */
export class WebhookReceiverEvents {
  readonly #faults = new FaultLog('ThornReceiver');
  readonly #listeners: Listeners = {
    rejected: new Set(),
    accepted: new Set(),
    duplicate: new Set(),
    older: new Set(),
  };

  /** Adds a listener. @returns a function that removes it; calling it again does nothing */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    // An object of its own, so that a listener that is added twice is called twice, and removed one by one.
    const entry = { listener };
    const listeners = this.#listeners[name];
    listeners.add(entry);
    return () => void listeners.delete(entry);
  }

  /** Calls all listeners, in the order in which they were added. */
  emit<Name extends EventName>(name: Name, payload: WebhookReceiverEventMap[Name]): void {
    Object.freeze(payload);
    for (const { listener } of [...this.#listeners[name]]) {
      // Called in a promise, so that an error and a rejection are handled in the same way.
      new Promise((resolve) => resolve(listener(payload))).catch((error: unknown) => {
        this.#faults.report(`A listener of the event ${name} failed`, error);
      });
    }
  }
}
