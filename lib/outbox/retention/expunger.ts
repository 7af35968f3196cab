import { Fifo } from '../../common/fifo.js';
import { FIRST_KEY } from '../tables/keys.js';
import type { MessageCursor } from '../model/message-cursor.js';
import type { MessageState, MessageStates } from './message-states.js';

const BATCH = 200;
// Looking again at what was passed over is cheap, and shall not take for ever.
const AGAIN = 1000;
const MOST_LEFT = 100_000;
const START: MessageCursor = { time: 0, id: `msg_${FIRST_KEY}` };

/** Drops finished messages, or parts of them. */
export class Expunger {
  // The end of the last pass; finished work is not repeated.
  #last = START;
  // Messages that the pass left behind because they were not finished, such as a message that is retried for days.
  readonly #left = new Fifo<string>();

  constructor(
    private readonly states: MessageStates,
    private readonly drop: (messages: readonly MessageCursor[]) => Promise<void>,
  ) {}

  /**
   * Expunges one batch.
   *
   * @param before milliseconds since the Unix epoch: younger messages, and those that were finished since, are left
   * @returns whether there may be more
   */
  async step(before: number): Promise<boolean> {
    try {
      const again = await this.states.again(this.#unfinished());
      const next =
        this.#left.length < MOST_LEFT ? await this.states.page(this.#last, before, BATCH) : [];
      await this.#expunge([...again, ...next], before);
      this.#last = next.at(-1) ?? this.#last;
      return next.length === BATCH;
    } catch (error) {
      // From the beginning: what is done already is only looked at.
      this.#last = START;
      this.#left.removeAll();
      throw error;
    }
  }

  async #expunge(messages: readonly MessageState[], before: number): Promise<void> {
    const finished: MessageCursor[] = [];
    for (const message of messages) {
      if ((message.finishedAt ?? before) < before) finished.push(message);
      else this.#left.push(message.id);
    }
    await this.drop(finished);
  }

  #unfinished(): readonly string[] {
    const ids: string[] = [];
    while (ids.length < AGAIN && this.#left.length > 0) ids.push(this.#left.shift()!);
    return ids;
  }
}
