import { Expunger } from './expunger.js';
import type { OutboxSettings } from '../model/outbox-options.js';
import type { MessageRemoval } from './message-removal.js';
import type { MessageStates } from './message-states.js';
import { DAY, retentionLimits } from './retention-limits.js';

/** Deletes old, finished messages in small batches, which keeps locks short. */
export class RetentionSweeper {
  readonly #messages: Expunger;
  readonly #bodies: Expunger;
  readonly #responses: Expunger;

  constructor(
    states: MessageStates,
    removal: MessageRemoval,
    private readonly settings: OutboxSettings,
  ) {
    this.#messages = new Expunger(states, {
      isIn: () => true,
      drop: (found, before) => removal.messages(found, before),
    });
    this.#bodies = new Expunger(states, {
      isIn: ({ hasBody }) => hasBody,
      drop: (found, before) => removal.bodies(found, before),
    });
    this.#responses = new Expunger(states, {
      isIn: ({ hasResponses }) => hasResponses,
      drop: (found, before) => removal.responses(found, before),
      // A later retry or backfill leaves new answers. A pass that meets them waits for their time to come.
      passEvery: DAY,
    });
  }

  /**
   * Deletes and expunges one batch.
   *
   * @returns whether there may be more
   */
  async step(now: number): Promise<boolean> {
    const { messages, bodies, responses } = retentionLimits(this.settings, now);
    let mayBeMore = await this.#messages.step(messages);
    if (bodies > messages) mayBeMore = (await this.#bodies.step(bodies)) || mayBeMore;
    if (responses > messages) mayBeMore = (await this.#responses.step(responses)) || mayBeMore;
    return mayBeMore;
  }
}
