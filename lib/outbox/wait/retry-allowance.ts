/**
 * Limits the retries of one host that fail. Each retry takes one of the allowance and gives it back when it succeeds, so
 * a host that is well again gets all of its retries at once.
 */
export class RetryAllowance {
  readonly #most: number;
  #left: number;
  #refilledAt: number | null = null;

  /** @param perSecond failing retries per second; as many again may go at once */
  constructor(private readonly perSecond: number) {
    this.#most = perSecond * 2;
    this.#left = this.#most;
  }

  /** Returns how many retries may start at a time, in milliseconds since the Unix epoch. */
  left(now: number): number {
    // A clock that was set back refills nothing until it has caught up.
    const passed = this.#refilledAt === null ? 0 : Math.max(0, now - this.#refilledAt);
    this.#refilledAt = Math.max(now, this.#refilledAt ?? now);
    this.#left = Math.min(this.#most, this.#left + (passed * this.perSecond) / 1000);
    return Math.floor(this.#left);
  }

  /** Counts a retry that starts. */
  spend(): void {
    this.#left--;
  }

  /** Restores the allowance of a retry that has not failed. */
  giveBack(): void {
    this.#left = Math.min(this.#most, this.#left + 1);
  }
}
