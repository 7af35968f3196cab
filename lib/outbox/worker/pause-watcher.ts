import { Logger } from '@nestjs/common';
import { errorText } from '../../common/index.js';
import type { HostScheduler } from '../concurrency/host-scheduler.js';
import type { DeliveryJob } from './delivery-job.js';
import type { HostPauses } from './host-pauses.js';

/** Milliseconds between two reads of the operator's pauses. */
const EVERY = 5000;

/** Applies the operator's pauses to this process, whichever process they were made in. */
export class PauseWatcher {
  readonly #logger = new Logger('Thorn');
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pauses: HostPauses,
    private readonly scheduler: HostScheduler<DeliveryJob>,
  ) {}

  /** Resolves when the pauses were read for the first time. */
  async start(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => void this.refresh(), EVERY).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Reads the pauses at once. */
  async refresh(): Promise<void> {
    try {
      this.scheduler.pause(await this.pauses.hosts());
    } catch (error) {
      // Paused hosts stay paused; the claim loops log more about a database that cannot be reached.
      this.#logger.debug(`Reading the pauses failed: ${errorText(error)}`);
    }
  }
}
