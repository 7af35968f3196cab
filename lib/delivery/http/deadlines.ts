const SWEEP_INTERVAL = 50;
/** Milliseconds without a sweep after which this process stood still. */
const STANDSTILL = 1000;

/** Something that must be over in time. */
export abstract class Timed {
  /** For {@link Deadlines} alone, as are the links. */
  queue: DeadlineQueue | null = null;
  earlier: Timed | null = null;
  later: Timed | null = null;
  dueAt = 0;

  /** Called once when time is up, unless it was stopped before. */
  abstract expire(): void;
}

/** Items of the same timeout, in the order in which they are due. */
interface DeadlineQueue {
  first: Timed | null;
  last: Timed | null;
}

/**
 * The deadlines of everything that is under way, watched by one timer that runs only while there is something to
 * watch. An item expires at most one sweep (50 ms) after it is due. Starting and stopping cost a few pointer writes:
 * a timer or an AbortSignal for each request would cost a good part of the request itself.
 *
 * Time in which this process stood still for a second or more does not count: it could not have read an answer then, and
 * would blame all endpoints at once.
 */
export class Deadlines {
  // Whatever has the same timeout falls due in the order in which it was started: no sorting is needed.
  readonly #queues = new Map<number, DeadlineQueue>();
  #timer: NodeJS.Timeout | null = null;
  #sweptAt = 0;
  // Milliseconds in which this process stood still, all in all.
  #stoodStill = 0;

  /** @param timeout milliseconds from now */
  start(item: Timed, timeout: number): void {
    let queue = this.#queues.get(timeout);
    if (queue === undefined) {
      queue = { first: null, last: null };
      this.#queues.set(timeout, queue);
    }
    const now = performance.now();
    item.dueAt = now - this.#stoodStill + timeout;
    item.queue = queue;
    item.earlier = queue.last;
    if (queue.last === null) queue.first = item;
    else queue.last.later = item;
    queue.last = item;
    // Not in the timer itself: when the process was busy for long, answers that have come meanwhile are read first.
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => setImmediate(() => this.#sweep()), SWEEP_INTERVAL);
    this.#sweptAt = now;
  }

  /** Does nothing when the item was stopped, or has expired, before. */
  stop(item: Timed): void {
    const { queue, earlier, later } = item;
    if (queue === null) return;
    if (earlier === null) queue.first = later;
    else earlier.later = later;
    if (later === null) queue.last = earlier;
    else later.earlier = earlier;
    item.queue = item.earlier = item.later = null;
  }

  #sweep(): void {
    const real = performance.now();
    const late = real - this.#sweptAt - SWEEP_INTERVAL;
    this.#sweptAt = real;
    if (late > STANDSTILL) this.#stoodStill += late;
    const now = real - this.#stoodStill;
    for (const [timeout, queue] of this.#queues) {
      while (queue.first !== null && queue.first.dueAt <= now) {
        const item = queue.first;
        this.stop(item);
        item.expire();
      }
      if (queue.first === null) this.#queues.delete(timeout);
    }
    if (this.#queues.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }
}
