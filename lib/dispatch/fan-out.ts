import type { Message } from '../message/message.js';
import type { Recipient } from '../message/recipient.js';
import type { SubscriberRepository } from '../subscriber/subscriber.repository.js';
import type { StaticSubscriberSet } from '../subscriber/static-subscriber-set.js';
import { wantedBy } from './wanted.js';

/** Finds everyone that a message goes to: who is stored, who is named in settings, who came with the message. */
export class FanOut {
  readonly #repository: SubscriberRepository;
  readonly #statics: StaticSubscriberSet;

  constructor(repository: SubscriberRepository, statics: StaticSubscriberSet) {
    this.#repository = repository;
    this.#statics = statics;
  }

  /**
   * The recipients of a message, each URL and secret once.
   *
   * A static subscriber that its settings get wrong, or whose callback throws, is logged and left out.
   *
   * @throws what the repository throws: a message is never silently sent to some of those who are stored
   */
  async recipientsOf(message: Message): Promise<readonly Recipient[]> {
    const stored = wantedBy(await this.#repository.match(message), message);
    const named = await this.#statics.match(message.event, message.sender);
    if (named.length === 0 && message.recipients.length === 0) return stored;
    return distinct([...stored, ...named, ...message.recipients]);
  }
}

function distinct(recipients: readonly Recipient[]): readonly Recipient[] {
  const seen = new Set<string>();
  return recipients.filter(({ url, secrets }) => {
    const key = JSON.stringify([url, secrets[0]?.value ?? null]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
