const SETTLED_AFTER = 100;
const YOUNG_AT_ONCE = 128;

/** A slot in use. */
export interface Slot {
  readonly acquiredAt: number;
  isYoung: boolean;
  readonly isRetry: boolean;
}

/**
 * Limits the deliveries in flight over all hosts.
 *
 * Fast endpoints are served best with about a hundred requests in flight, and slow ones must not use these up. So a slot
 * counts against the small number only while it is young. An endpoint that has not responded after 100 ms gains nothing
 * from fewer others, and counts against the large window alone.
 *
 * A quarter of all slots is kept for first attempts.
 */
export class SlotPool {
  readonly #young: number;
  readonly #queue: Slot[] = [];
  #head = 0;
  #inUse = 0;
  #usedByRetries = 0;
  #youngInUse = 0;

  constructor(private readonly window: number) {
    this.#young = Math.min(window, YOUNG_AT_ONCE);
  }

  get inUse(): number {
    return this.#inUse;
  }

  /** @param now from `performance.now()` */
  acquire(isRetry: boolean, now: number): Slot | null {
    this.#age(now);
    const share = (all: number) => (isRetry ? mostForRetries(all) : all);
    if (this.#inUse >= this.window || this.#youngInUse >= share(this.#young)) return null;
    if (isRetry && this.#usedByRetries >= mostForRetries(this.window)) return null;
    const slot = { acquiredAt: now, isYoung: true, isRetry };
    this.#queue.push(slot);
    this.#inUse++;
    this.#youngInUse++;
    if (isRetry) this.#usedByRetries++;
    return slot;
  }

  release(slot: Slot): void {
    this.#inUse--;
    if (slot.isRetry) this.#usedByRetries--;
    this.#grow(slot);
  }

  /** Milliseconds until the next slot is no longer young; null when none is. */
  untilNext(now: number): number | null {
    this.#age(now);
    const oldest = this.#queue[this.#head];
    return oldest === undefined ? null : oldest.acquiredAt + SETTLED_AFTER - now;
  }

  #age(now: number): void {
    for (;;) {
      const oldest = this.#queue[this.#head];
      if (oldest === undefined) break;
      if (oldest.isYoung && oldest.acquiredAt + SETTLED_AFTER > now) break;
      this.#grow(oldest);
      this.#head++;
    }
    // Moving the rest to the front now and then costs less than shift() each time.
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #grow(slot: Slot): void {
    if (!slot.isYoung) return;
    slot.isYoung = false;
    this.#youngInUse--;
  }
}

/** The part that retries may use of something that first attempts need as well. */
export function mostForRetries(all: number): number {
  return Math.max(1, Math.floor((all * 3) / 4));
}
