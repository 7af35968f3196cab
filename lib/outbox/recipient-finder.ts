import type { FanOut } from '../dispatch/index.js';
import type { Message, Recipient } from '../message/index.js';
import { isActive, type SubscriberRepository } from '../subscriber/index.js';

/** What a {@link RecipientFinder} works with. */
export interface FinderTools {
  readonly fanOut: FanOut;
  readonly subscribers: SubscriberRepository;
}

/** Finds the recipients of deliveries that were made earlier; asks once for each message and subscriber. */
export class RecipientFinder {
  readonly #recipients = new Map<string, Promise<readonly Recipient[]>>();
  readonly #stored = new Map<string, Promise<Recipient | null>>();

  constructor(private readonly tools: FinderTools) {}

  /** @returns null when the subscriber was disabled or removed */
  async find(message: Message, subscriber: string): Promise<Recipient | null> {
    let recipients = this.#recipients.get(message.id);
    if (recipients === undefined) {
      recipients = this.tools.fanOut.recipientsOf(message);
      this.#recipients.set(message.id, recipients);
    }
    const match = (await recipients).find(({ id }) => id === subscriber);
    if (match !== undefined) return match;
    // It may listen to other events by now: what was sent while it listened to this one is still its own.
    let stored = this.#stored.get(subscriber);
    if (stored === undefined) {
      stored = this.#enabled(subscriber);
      this.#stored.set(subscriber, stored);
    }
    return stored;
  }

  async #enabled(id: string): Promise<Recipient | null> {
    const subscriber = await this.tools.subscribers.findById(id, 'any');
    return subscriber !== null && isActive(subscriber) ? subscriber : null;
  }
}

/** Host and port of a recipient's URL: what deliveries are told apart by while they wait. */
export function hostOf({ url }: Recipient): string {
  return URL.canParse(url) ? new URL(url).host : '-';
}
