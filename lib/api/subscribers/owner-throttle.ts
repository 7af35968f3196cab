import { BoundedCache } from '../../common/collections.js';
import type { Clock } from '../../common/index.js';

const MINUTE = 60_000;
/** Owners that are remembered; beyond that the one that was first is forgotten. */
const MAX_OWNERS = 50_000;

/** So many a minute for each owner, in this process: as many at once, and then one at a time. */
export class OwnerThrottle {
  readonly #buckets = new BoundedCache<string, { readonly left: number; readonly at: number }>(
    MAX_OWNERS,
  );

  constructor(
    private readonly clock: Clock,
    private readonly perMinute: number,
  ) {}

  /** @returns 0 when one more is allowed, which is counted then; else the seconds until it will be */
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
