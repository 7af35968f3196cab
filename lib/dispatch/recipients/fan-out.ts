import type { Message } from '../../message/message.js';
import type { Recipient } from '../../message/recipient.js';
import type { SubscriberRepository } from '../../subscriber/model/subscriber.repository.js';
import type { StaticSubscriberSet } from '../../subscriber/static/static-subscriber-set.js';
import { withoutUnwanted } from './subscriber-choice.js';

/** Whom a message goes to, as far as that can be told. */
export interface FoundRecipients {
  readonly recipients: readonly Recipient[];
  /** False: a callback among the static subscribers threw, and who else there is can be told only later. */
  readonly isComplete: boolean;
}

/** Finds everyone that a message goes to: who is stored, who is named in settings, who came with the message. */
export class FanOut {
  constructor(
    private readonly repository: SubscriberRepository,
    private readonly statics: StaticSubscriberSet,
  ) {}

  /**
   * The recipients of a message, each URL and secret once.
   *
   * A static subscriber that its settings get wrong, or whose callback throws, is logged and left out.
   *
   * @throws what the repository throws: a message is never silently sent to some of those who are stored
   */
  async recipientsOf(message: Message): Promise<readonly Recipient[]> {
    return (await this.lookUp(message)).recipients;
  }

  /**
   * As {@link recipientsOf}, for strategies that can come back later for those who are missing.
   *
   * @throws what the repository throws
   */
  async lookUp(message: Message): Promise<FoundRecipients> {
    const stored = withoutUnwanted(await this.repository.match(message), message);
    const { recipients: named, isComplete } = await this.statics.match(
      message.event,
      message.owner,
    );
    const recipients =
      named.length === 0 && message.recipients.length === 0
        ? stored
        : distinct([...stored, ...named, ...message.recipients]);
    return { recipients, isComplete };
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
