import { Logger } from '@nestjs/common';
import { type Clock, reasonOf } from '../../common/index.js';
import type { Shard } from '../store/outbox-store.js';

/** Puts off what this process holds, again and again, as long as it lives. */
export class LeaseRenewal {
  readonly #logger = new Logger('Thorn');
  readonly #shards: readonly Shard[];
  readonly #lease: number;
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** @param lease milliseconds */
  constructor(shards: readonly Shard[], lease: number, clock: Clock) {
    this.#shards = shards;
    this.#lease = lease;
    this.#clock = clock;
  }

  start(): void {
    this.#timer = setTimeout(
      () => void this.#renew().finally(() => !this.#isStopped && this.start()),
      this.#lease / 6,
    ).unref();
  }

  /** For good. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #renew(): Promise<void> {
    for (const shard of this.#shards) {
      try {
        await shard.renewLeases(this.#clock.now(), this.#lease);
      } catch (error) {
        this.#logger.error(`Putting off leases failed: ${reasonOf(error)}`);
      }
    }
  }
}
