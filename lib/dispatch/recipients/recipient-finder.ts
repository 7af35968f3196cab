import type { Message, Recipient } from '../../message/index.js';
import {
  isActive,
  isStaticId,
  type NamedRecipients,
  type StaticSubscriberSet,
  type Subscriber,
  type SubscriberRepository,
} from '../../subscriber/index.js';
import { ThornError } from '../../errors/index.js';

/** The part of a message that tells its recipients. */
export type AddressedMessage = Pick<Message, 'id' | 'event' | 'owner' | 'recipients'>;

/**
 * Finds the recipients of existing deliveries by their ids. Asks for each stored subscriber once, and for the static
 * subscribers of each message once, so make a new finder for each batch.
 */
export class RecipientFinder {
  readonly #stored = new Map<string, Promise<Subscriber | null>>();
  readonly #current = new Map<string, Promise<Subscriber | null>>();
  readonly #named = new Map<string, Promise<NamedRecipients>>();

  constructor(
    private readonly repository: SubscriberRepository,
    private readonly statics: StaticSubscriberSet,
  ) {}

  /**
   * Checks only that the recipient is still there and active: a delivery that was made for it stays its own, whatever
   * events it listens to by now, and whether or not its end has passed.
   *
   * @returns null when the subscriber was disabled or removed
   * @throws {@link RecipientUnknownError} when a callback of the settings failed, or the subscriber has moved to a URL that
   *   is yet to be verified, so that this cannot be known now
   */
  async find(message: AddressedMessage, subscriber: string): Promise<Recipient | null> {
    const own = message.recipients.find(({ id }) => id === subscriber);
    if (own !== undefined) return own;
    return isStaticId(subscriber)
      ? this.#findNamed(message, subscriber)
      : this.#findStored(subscriber);
  }

  /**
   * As {@link find}, but a stored subscriber is read from its table: another process may have disabled it a moment ago,
   * which this process would come to know later. For deliveries that must not overtake deliveries that have ended then.
   */
  async findCurrent(message: AddressedMessage, subscriber: string): Promise<Recipient | null> {
    if (isStaticId(subscriber) || message.recipients.some(({ id }) => id === subscriber)) {
      return this.find(message, subscriber);
    }
    let current = this.#current.get(subscriber);
    if (current === undefined) {
      this.#current.set(subscriber, (current = this.#readCurrent(subscriber)));
    }
    return current;
  }

  #findStored(subscriber: string): Promise<Recipient | null> {
    let stored = this.#stored.get(subscriber);
    if (stored === undefined) this.#stored.set(subscriber, (stored = this.#readStored(subscriber)));
    return stored;
  }

  async #readStored(id: string): Promise<Subscriber | null> {
    return (await this.repository.findActive(id)) ?? this.#readCurrent(id);
  }

  async #readCurrent(id: string): Promise<Subscriber | null> {
    const subscriber = await this.repository.findById(id, 'any');
    if (subscriber !== null && isActive(subscriber)) return subscriber;
    if (subscriber?.enabled === true && subscriber.verification === 'pending') {
      throw RecipientUnknownError.ofUnverified(id);
    }
    return null;
  }

  async #findNamed(message: AddressedMessage, subscriber: string): Promise<Recipient | null> {
    let named = this.#named.get(message.id);
    if (named === undefined) {
      named = this.statics.match(message.event, message.owner);
      this.#named.set(message.id, named);
    }
    const { recipients, isComplete } = await named;
    const match = recipients.find(({ id }) => id === subscriber);
    if (match === undefined && !isComplete) {
      throw RecipientUnknownError.ofCallback(subscriber, message.event);
    }
    return match ?? null;
  }
}

/**
 * Thrown when it cannot be known yet whether a subscriber still exists: a callback that may name it threw, or its new URL is not
 * verified. The deliveries of the subscriber stay as they are.
 */
export class RecipientUnknownError extends ThornError {
  readonly code = 'THORN_RECIPIENT_UNKNOWN';

  static ofCallback(subscriber: string, event: string): RecipientUnknownError {
    return new RecipientUnknownError(
      `It is unknown whether ${subscriber} is still a static subscriber of ${event}, because a callback threw. Read the log, then fix the callback or try again.`,
      { subscriber, event },
    );
  }

  static ofUnverified(subscriber: string): RecipientUnknownError {
    return new RecipientUnknownError(
      `The new URL of ${subscriber} is not verified. Ask its endpoint again with POST /hooks/:id/challenge; until then, what waits for it goes on waiting.`,
      { subscriber },
    );
  }
}
