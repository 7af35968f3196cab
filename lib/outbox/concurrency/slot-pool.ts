const SETTLED_AFTER = 100;
const YOUNG_AT_ONCE = 128;

/** A slot that is taken. */
export interface Slot {
  readonly takenAt: number;
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
  #taken = 0;
  #takenByRetries = 0;
  #youngTaken = 0;

  constructor(private readonly window: number) {
    this.#young = Math.min(window, YOUNG_AT_ONCE);
  }

  get taken(): number {
    return this.#taken;
  }

  /** @param now from `performance.now()` */
  acquire(isRetry: boolean, now: number): Slot | null {
    this.#age(now);
    const share = (all: number) => (isRetry ? mostForRetries(all) : all);
    if (this.#taken >= this.window || this.#youngTaken >= share(this.#young)) return null;
    if (isRetry && this.#takenByRetries >= mostForRetries(this.window)) return null;
    const slot = { takenAt: now, isYoung: true, isRetry };
    this.#queue.push(slot);
    this.#taken++;
    this.#youngTaken++;
    if (isRetry) this.#takenByRetries++;
    return slot;
  }

  release(slot: Slot): void {
    this.#taken--;
    if (slot.isRetry) this.#takenByRetries--;
    this.#grow(slot);
  }

  /** Milliseconds until the next slot is no longer young; null when none is. */
  untilNext(now: number): number | null {
    this.#age(now);
    const oldest = this.#queue[this.#head];
    return oldest === undefined ? null : oldest.takenAt + SETTLED_AFTER - now;
  }

  #age(now: number): void {
    for (;;) {
      const oldest = this.#queue[this.#head];
      if (oldest === undefined) break;
      if (oldest.isYoung && oldest.takenAt + SETTLED_AFTER > now) break;
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
    this.#youngTaken--;
  }
}

/** The part that retries may use of something that first attempts need as well. */
export function mostForRetries(all: number): number {
  return Math.max(1, Math.floor((all * 3) / 4));
}
