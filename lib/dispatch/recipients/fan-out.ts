import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time.js';
import type { Message } from '../../message/message.js';
import type { Recipient } from '../../message/recipient.js';
import {
  type MatchCriteria,
  SubscriberRepository,
} from '../../subscriber/model/subscriber.repository.js';
import { StaticSubscriberSet } from '../../subscriber/service/static-subscriber-set.js';
import { RecipientFinder } from './recipient-finder.js';
import { withoutUnchanged, withoutUnwanted } from './subscriber-choice.js';

/** The recipients of a message, as far as they can be found now. */
export interface FoundRecipients {
  readonly recipients: readonly Recipient[];
  /** False: a callback among the static subscribers threw, so that the others can only be found later. */
  readonly isComplete: boolean;
}

/**
 * Finds all recipients of a message: those stored, those in the settings, those given with the message. Inject it: the
 * module constructs it.
 */
@Injectable()
export class FanOut {
  /** @internal */
  constructor(
    private readonly repository: SubscriberRepository,
    private readonly statics: StaticSubscriberSet,
    private readonly clock: Clock,
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
   * As {@link recipientsOf}, for strategies that can come back later for missing recipients.
   *
   * @throws what the repository throws
   */
  async lookUp(message: Message): Promise<FoundRecipients> {
    // Before the match: one whose end passes meanwhile may be renewed, which its attempt looks up.
    const now = this.clock.now();
    const stored = withoutUnwanted(await this.repository.match(message), message, now);
    const { recipients: named, isComplete } = await this.statics.match(
      message.event,
      message.owner,
    );
    const recipients =
      named.length === 0 && message.recipients.length === 0
        ? stored
        : distinct([...stored, ...withoutUnchanged([...named, ...message.recipients], message)]);
    return { recipients, isComplete };
  }

  /** Makes the subscribers known that other processes have stored. */
  refresh(): Promise<void> {
    return this.repository.refresh();
  }

  /** True if no recipient can be found for an event, as far as this is known at once. */
  isUnheard(criteria: MatchCriteria): boolean {
    return this.repository.isUnheard(criteria) && !this.statics.covers(criteria.event);
  }

  /** A finder for the recipients of one batch of existing deliveries, which need no fan-out. */
  finder(): RecipientFinder {
    return new RecipientFinder(this.repository, this.statics);
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
