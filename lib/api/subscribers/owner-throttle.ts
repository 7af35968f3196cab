import { BoundedCache } from '../../common/collections.js';
import type { Clock } from '../../common/index.js';

const MINUTE = 60_000;
/** The number of owners in memory. Beyond it, the oldest entry is dropped. */
const MAX_OWNERS = 50_000;

/** A token bucket for each owner, in this process: `perMinute` tokens at once, and then one token at a time, at this rate. */
export class OwnerThrottle {
  readonly #buckets = new BoundedCache<string, { readonly left: number; readonly at: number }>(
    MAX_OWNERS,
  );

  constructor(
    private readonly clock: Clock,
    private readonly perMinute: number,
  ) {}

  /** @returns 0 when the owner may send one more, which is then counted; else the seconds until the owner may send again */
  secondsToWait(owner: string | null): number {
    if (this.perMinute === Number.POSITIVE_INFINITY) return 0;
    const key = JSON.stringify(owner);
    const now = this.clock.now();
    const { left, at } = this.#buckets.get(key) ?? { left: this.perMinute, at: now };
    const elapsed = Math.max(0, now - at);
    const available = Math.min(this.perMinute, left + (elapsed * this.perMinute) / MINUTE);
    if (available < 1) return Math.ceil(((1 - available) * MINUTE) / this.perMinute / 1000);
    this.#buckets.set(key, { left: available - 1, at: now });
    return 0;
  }
}
