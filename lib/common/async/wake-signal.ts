/**
 * Wakes sleepers before their time: the claim loops, when there is something to claim or room for it. A sleeper that
 * compares {@link count} before and after its look misses no signal.
 */
export class WakeSignal {
  #count = 0;
  #wakeAll: (() => void)[] = [];

  /** The number of times that the signal was given. */
  get count(): number {
    return this.#count;
  }

  wake(): void {
    this.#count++;
    for (const wake of this.#wakeAll.splice(0)) wake();
  }

  /** Resolves after the time, or at the next {@link wake}. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#wakeAll = this.#wakeAll.filter((other) => other !== wake);
        resolve();
      }, milliseconds);
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#wakeAll.push(wake);
    });
  }
}
