// Against a plain semaphore over the window, by turns: 8 to 9 % more deliveries a second where one of ten subscribers is slow (the
// bench `outbox:slow`). With fast ones alone up to 11 % fewer with 64 requests in flight, up to 5 % fewer with 400. But with 400 a route of the application answers in 9 ms instead of 59 (median), because a burst does not begin in
// one turn of the event loop.
import { Fifo } from '../../common/collections.js';
import { LoopUtilization } from '../../common/loop-utilization.js';

const YOUNG_FOR = 100;
/** Young slots at any load. Each further connection makes all requests cost more. */
const FEWEST_YOUNG = 96;
/** Milliseconds between two looks at the load. */
const LOOK_EVERY = 5;
/** The part of its time that the event loop may be busy for more slots to be young. */
const BUSY = 0.75;
const GROWTH = 1.25;
/** Milliseconds after which a look says nothing any more: a burst begins with the fewest. */
const FORGOTTEN_AFTER = 100;

/** A slot in use. */
export interface Slot {
  readonly acquiredAt: number;
  isYoung: boolean;
  readonly isRetry: boolean;
}

/**
 * Limits the deliveries in flight over all hosts.
 *
 * A busy process delivers most with about a hundred requests in flight, and slow endpoints must not use these up. So a slot
 * counts against the small number only while it is young. An endpoint that has not responded after 100 ms gains nothing
 * from fewer others, and counts against the large window alone.
 *
 * Where the event loop is not busy, the small number grows up to the window: the process waits for endpoints. It grows step
 * by step, so that a burst does not begin all of its requests in one iteration of the event loop.
 *
 * A quarter of all slots is kept for first attempts.
 */
export class SlotPool {
  #young: number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Slots by age, the oldest at the front: young slots, and slots that were released since. */
  readonly #queue = new Fifo<Slot>();
  #inUse = 0;
  #usedByRetries = 0;
  #youngInUse = 0;

  constructor(
    private readonly window: number,
    private readonly loop = new LoopUtilization(),
  ) {
    this.#young = this.#fewest;
  }

  get inUse(): number {
    return this.#inUse;
  }

  /** @param now from `performance.now()` */
  acquire(isRetry: boolean, now: number): Slot | null {
    this.#age(now);
    const isFull = !this.#hasRoom(isRetry);
    if (isFull || this.#youngInUse >= this.#fewest) this.#adapt(now, isFull);
    if (!this.#hasRoom(isRetry)) return null;
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
    this.#endYouth(slot);
  }

  /** Milliseconds until there may be room although no slot was released; null when no slot is young. */
  untilNext(now: number): number | null {
    this.#age(now);
    const oldest = this.#queue.first;
    if (oldest === undefined) return null;
    const untilOld = oldest.acquiredAt + YOUNG_FOR - now;
    if (this.#young === this.window) return untilOld;
    const untilLook = this.#lookedAt + LOOK_EVERY - now;
    return Math.min(untilOld, untilLook > 0 ? untilLook : LOOK_EVERY);
  }

  get #fewest(): number {
    return Math.min(this.window, FEWEST_YOUNG);
  }

  #hasRoom(isRetry: boolean): boolean {
    const share = (all: number) => (isRetry ? mostForRetries(all) : all);
    if (this.#inUse >= this.window || this.#youngInUse >= share(this.#young)) return false;
    return !isRetry || this.#usedByRetries < mostForRetries(this.window);
  }

  #adapt(now: number, isFull: boolean): void {
    const since = now - this.#lookedAt;
    if (since < LOOK_EVERY) return;
    this.#lookedAt = now;
    const isBusy = this.loop.sinceLast() > BUSY;
    if (since > FORGOTTEN_AFTER) this.#young = this.#fewest;
    else if (isBusy) this.#young = Math.max(this.#fewest, Math.ceil(this.#young / GROWTH));
    else if (isFull) this.#young = Math.min(this.window, Math.ceil(this.#young * GROWTH));
  }

  #age(now: number): void {
    for (let oldest = this.#queue.first; oldest !== undefined; oldest = this.#queue.first) {
      if (oldest.isYoung && oldest.acquiredAt + YOUNG_FOR > now) break;
      this.#endYouth(oldest);
      this.#queue.shift();
    }
  }

  #endYouth(slot: Slot): void {
    if (!slot.isYoung) return;
    slot.isYoung = false;
    this.#youngInUse--;
  }
}

/** The part that retries may use of something that first attempts need as well. */
export function mostForRetries(all: number): number {
  return Math.max(1, Math.floor((all * 3) / 4));
}
