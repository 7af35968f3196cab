import { setTimeout as sleep } from 'node:timers/promises';
import { endedSoon } from '../../common/async/timeout.js';
import { FaultLog } from '../../common/index.js';
import type { ChangeFeed } from './change-feed.js';

const LONGEST_BACKOFF = 30_000;

/** Takes steps of a change feed for as long as it is filled, and looks again a while later. Goes on whatever fails. */
export class FeedLoop {
  readonly #faults = new FaultLog();
  readonly #stopping = new AbortController();
  #failures = 0;
  #ended: Promise<void> = Promise.resolve();

  /** @param pollInterval milliseconds */
  constructor(
    private readonly feed: ChangeFeed,
    private readonly pollInterval: number,
  ) {}

  start(): void {
    this.#ended = this.#run();
  }

  /** Resolves when the step under way has ended, or does not end soon. */
  stop(): Promise<void> {
    this.#stopping.abort();
    return endedSoon(this.#ended);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const wait = await this.#step();
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns the milliseconds to sleep */
  async #step(): Promise<number> {
    try {
      const taken = await this.feed.step();
      this.#failures = 0;
      return taken > 0 ? 0 : this.pollInterval;
    } catch (error) {
      const wait = Math.min(LONGEST_BACKOFF, this.pollInterval * 2 ** this.#failures++);
      this.#faults.report(`Reading the change feed failed, again in ${wait} ms`, error);
      return wait;
    }
  }
}
