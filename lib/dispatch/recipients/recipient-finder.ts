import type { FanOut, FoundRecipients } from './fan-out.js';
import type { Message, Recipient } from '../../message/index.js';
import { isActive, type Subscriber, type SubscriberRepository } from '../../subscriber/index.js';
import { RecipientUnknownError } from './recipient-unknown.error.js';

/** What a {@link RecipientFinder} works with. */
export interface FinderTools {
  readonly fanOut: FanOut;
  readonly subscribers: SubscriberRepository;
}

/** Finds the recipients of deliveries that were made earlier; asks once for each message and subscriber. */
export class RecipientFinder {
  readonly #recipients = new Map<string, Promise<FoundRecipients>>();
  readonly #stored = new Map<string, Promise<Subscriber | null>>();

  constructor(private readonly tools: FinderTools) {}

  /**
   * @returns null when the subscriber was disabled or removed
   * @throws {@link RecipientUnknownError} when that cannot be told now
   */
  async find(message: Message, subscriber: string): Promise<Recipient | null> {
    let found = this.#recipients.get(message.id);
    if (found === undefined) {
      found = this.tools.fanOut.lookUp(message);
      this.#recipients.set(message.id, found);
    }
    const { recipients, isComplete } = await found;
    const match = recipients.find(({ id }) => id === subscriber);
    if (match !== undefined) return match;
    // It may listen to other events by now: what was sent while it listened to this one is still its own.
    let stored = this.#stored.get(subscriber);
    if (stored === undefined) {
      stored = this.tools.subscribers.findById(subscriber, 'any');
      this.#stored.set(subscriber, stored);
    }
    const known = await stored;
    if (known !== null) return isActive(known) ? known : null;
    if (!isComplete) throw new RecipientUnknownError(subscriber, message.event);
    return null;
  }
}
