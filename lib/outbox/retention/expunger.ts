import { FIRST_KEY } from '../tables/keys.js';
import type { MessageCursor } from '../model/message-cursor.js';
import type { Remainder } from './message-removal.js';
import type { MessagePage, MessageState, MessageStates } from './message-states.js';

const BATCH = 200;
// Looking again at what was passed over is cheap, and shall not take for ever.
const AGAIN = 1000;
const MOST_LEFT = 100_000;
const START: MessageCursor = { time: 0, id: `msg_${FIRST_KEY}` };
const NO_PAGE: MessagePage = { messages: [], isLast: true };

/** What an {@link Expunger} drops. */
export interface Expunging {
  /** True of messages that have any of it. */
  isIn(message: MessageState): boolean;
  drop(messages: readonly MessageCursor[], before: number): Promise<Remainder>;
  /** The milliseconds from one pass over all messages to the next. Default: one pass is enough, since nothing comes back. */
  readonly passEvery?: number;
}

/** Drops finished messages, or parts of them. */
export class Expunger {
  // The end of the last page; finished work is not repeated within a pass.
  #last = START;
  #passBegan = Number.NEGATIVE_INFINITY;
  #isPassed = false;
  // Messages that the pass left behind because they were not finished, such as a message that is retried for days.
  readonly #left = new Set<string>();
  // Messages that are dropped in parts. Their state is not read again for each part.
  #begun: readonly MessageCursor[] = [];

  constructor(
    private readonly states: MessageStates,
    private readonly expunging: Expunging,
  ) {}

  /**
   * Expunges one batch.
   *
   * @param before milliseconds since the Unix epoch: younger messages, and those that were finished since, are left
   * @returns whether there may be more
   */
  async step(before: number): Promise<boolean> {
    try {
      if (this.#begun.length > 0) {
        await this.#drop(this.#begun, before);
        return true;
      }
      const again = await this.states.again(this.#unfinished());
      for (const id of again.unread) this.#left.add(id);
      const page = this.#left.size < MOST_LEFT ? await this.#page(before) : NO_PAGE;
      await this.#expunge([...again.messages, ...page.messages], before);
      this.#last = page.messages.at(-1) ?? this.#last;
      if (page !== NO_PAGE) this.#isPassed = page.isLast;
      return !page.isLast || this.#begun.length > 0;
    } catch (error) {
      // From the beginning: what is done already is only looked at.
      this.#last = START;
      this.#left.clear();
      this.#begun = [];
      throw error;
    }
  }

  #page(before: number): Promise<MessagePage> {
    const { passEvery = Number.POSITIVE_INFINITY } = this.expunging;
    if (this.#isPassed && before - this.#passBegan >= passEvery) this.#last = START;
    if (this.#last === START) this.#passBegan = before;
    return this.states.page(this.#last, before, BATCH);
  }

  async #expunge(messages: readonly MessageState[], before: number): Promise<void> {
    const finished: MessageCursor[] = [];
    for (const message of messages) {
      if ((message.finishedAt ?? before) >= before) this.#left.add(message.id);
      else if (this.expunging.isIn(message)) finished.push(message);
    }
    await this.#drop(finished, before);
  }

  async #drop(messages: readonly MessageCursor[], before: number): Promise<void> {
    const { begun, kept } = await this.expunging.drop(messages, before);
    this.#begun = begun;
    for (const { id } of kept) this.#left.add(id);
  }

  #unfinished(): readonly string[] {
    const ids: string[] = [];
    for (const id of this.#left) {
      if (ids.length === AGAIN) break;
      ids.push(id);
      this.#left.delete(id);
    }
    return ids;
  }
}
