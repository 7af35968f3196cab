import { type Clock, FaultLog } from '../../common/index.js';
import type { AttemptRunner } from '../attempt/attempt-runner.js';
import type { OutboxStore } from './outbox-store.js';

/** Renews the leases of this process in one data source for as long as it lives. */
export class LeaseRenewal {
  readonly #faults = new FaultLog();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** @param lease milliseconds */
  constructor(
    private readonly store: OutboxStore,
    private readonly lease: number,
    private readonly clock: Clock,
    private readonly runner: AttemptRunner,
  ) {}

  start(): void {
    this.#timer = setTimeout(
      () => void this.#renew().finally(() => !this.#isStopped && this.start()),
      this.lease / 10,
    ).unref();
  }

  /** Stops for good. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #renew(): Promise<void> {
    try {
      await this.store.renewLeases(this.clock.now(), this.lease);
      this.runner.leasesRenewed();
    } catch (error) {
      if (!this.#isStopped) this.#faults.report('Renewing leases failed', error);
    }
  }
}
