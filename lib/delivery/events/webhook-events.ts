import { channel } from 'node:diagnostics_channel';
import { Injectable } from '@nestjs/common';
import { FaultLog } from '../../common/index.js';
import type { WebhookEventMap, WebhookEventName } from './webhook-event-map.js';

type Listener<Name extends WebhookEventName> = (payload: WebhookEventMap[Name]) => unknown;

const NAMES: Readonly<Record<WebhookEventName, true>> = {
  'message-accepted': true,
  succeeded: true,
  'retry-scheduled': true,
  failed: true,
  'delivery-skipped': true,
  'delivery-held': true,
  'subscriber-failing': true,
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
 * Events are emitted once, in the process in which they happen, and are not stored: the delivery log is. What a
 * listener throws, or rejects with, is logged and never reaches a delivery; a slow asynchronous listener delays none.
 *
 * Each is also published on a `node:diagnostics_channel` of the name `thorn:<event>`, for observers that know nothing
 * of Nest. Errors of its subscribers are Node's to report, as uncaught exceptions.
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
