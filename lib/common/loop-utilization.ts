import { performance } from 'node:perf_hooks';

/** The part of its time that the event loop has been busy, from 0 to 1. */
export class LoopUtilization {
  #last = performance.eventLoopUtilization();

  /** From the last call, or from the beginning. */
  sinceLast(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#last);
    this.#last = now;
    return utilization;
  }
}
