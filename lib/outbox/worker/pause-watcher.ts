import { Logger } from '@nestjs/common';
import { errorText } from '../../common/index.js';
import type { HostScheduler } from '../concurrency/host-scheduler.js';
import type { DeliveryJob } from './delivery-job.js';
import type { HostPauses } from './host-pauses.js';

/** Milliseconds between two looks at what the operator has paused. */
const EVERY = 5000;

/** Lets this process heed the operator's pauses, whichever process they were made in. */
export class PauseWatcher {
  readonly #logger = new Logger('Thorn');
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pauses: HostPauses,
    private readonly lanes: HostScheduler<DeliveryJob>,
  ) {}

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
      this.lanes.pause(await this.pauses.hosts());
    } catch (error) {
      // What was paused stays so; the loops that claim say more of a database that is away.
      this.#logger.debug(`Reading the pauses failed: ${errorText(error)}`);
    }
  }
}
