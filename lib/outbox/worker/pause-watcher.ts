import { Logger } from '@nestjs/common';
import { reasonOf } from '../../common/index.js';
import type { Lanes } from '../concurrency/host-scheduler.js';
import type { OutboxJob } from './delivery-job.js';
import type { Pauses } from './host-pauses.js';

/** Milliseconds between two looks at what the operator has paused. */
const EVERY = 5000;

/** Lets this process heed the operator's pauses, whichever process they were made in. */
export class PauseWatch {
  readonly #logger = new Logger('Thorn');
  readonly #pauses: Pauses;
  readonly #lanes: Lanes<OutboxJob>;
  #timer: NodeJS.Timeout | undefined;

  constructor(pauses: Pauses, lanes: Lanes<OutboxJob>) {
    this.#pauses = pauses;
    this.#lanes = lanes;
  }

  /** Resolves when it has looked for the first time. */
  async start(): Promise<void> {
    await this.heed();
    this.#timer = setInterval(() => void this.heed(), EVERY).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks at once. */
  async heed(): Promise<void> {
    try {
      this.#lanes.pause(await this.#pauses.hosts());
    } catch (error) {
      // What was paused stays so; the loops that claim say more of a database that is away.
      this.#logger.debug(`Reading the pauses failed: ${reasonOf(error)}`);
    }
  }
}
