import type { Release } from '../dispatch/index.js';
import { DispatchStrategy } from '../dispatch/index.js';
import type { Message } from '../message/index.js';
import { Arrivals, type WaitOptions } from './arrival-waiter.js';

/** A message that would have been delivered. */
export interface SentMessage {
  /** `msg_` and a UUIDv7, or the id that was given to `send()`. */
  readonly id: string;
  /** Name of the event. */
  readonly event: string;
  /** The user that owns what happened; null when nobody does. */
  readonly owner: string | null;
  /** The address of the thing, as in the body; null without one. */
  readonly ref: string | null;
  /** The envelope's `data`; undefined when the application's own envelope has none. */
  readonly data: unknown;
  /** The whole body, as JSON. */
  readonly body: unknown;
  /** The message itself, with its headers and settings. */
  readonly message: Message;
}

/**
 * Records messages instead of delivering them, for tests of what an application sends. A message of a transaction
 * appears in {@link sent} when the transaction has committed, one of a buffer scope when the buffer is flushed.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ dispatch: RecordingStrategy });
 *
 * const webhooks = app.get<RecordingStrategy>(DispatchStrategy);
 * await orders.cancel('7');
 * expect((await webhooks.waitFor('order.cancelled')).data).toEqual({ id: '7' });
 * ```
 */
export class RecordingStrategy extends DispatchStrategy {
  readonly #arrivals = new Arrivals<SentMessage>(({ event }) => event);

  /** Messages sent since the last {@link clear}, oldest first. */
  get sent(): readonly SentMessage[] {
    return this.#arrivals.items;
  }

  /**
   * Resolves to the first message of an event since the last {@link clear}, also when it is yet to be sent.
   *
   * @param name the event's name, without wildcards
   * @throws {@link WaitTimeoutError} when none is sent in time
   */
  waitFor(name: string, options?: WaitOptions): Promise<SentMessage> {
    const find = (sent: readonly SentMessage[]) => sent.find(({ event }) => event === name);
    return this.#arrivals.waitFor(`a message of the event ${name}`, find, options);
  }

  /** Forgets the recorded messages. */
  clear(): void {
    this.#arrivals.clear();
  }

  override async stage(): Promise<void> {}

  override async release(messages: readonly Message[]): Promise<readonly Release[]> {
    this.#arrivals.add(...messages.map(recorded));
    return messages.map(({ id }) => ({ message: id, state: 'accepted', attempts: [] }));
  }
}

function recorded(message: Message): SentMessage {
  const { id, event, owner, ref } = message;
  const body: unknown = JSON.parse(message.json.toString());
  const data = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
  return { id, event, owner, ref, data, body, message };
}
