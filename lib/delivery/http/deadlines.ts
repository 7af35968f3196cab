/** Milliseconds between two looks at the deadlines. */
export const SWEEP_INTERVAL = 50;
/** Milliseconds without a sweep that count as a stalled process. */
const STANDSTILL = 1000;

/** An item with a deadline. */
export abstract class Timed {
  /** The queue that holds this item, and its neighbours there. Only {@link Deadlines} uses them. */
  queue: DeadlineQueue | null = null;
  earlier: Timed | null = null;
  later: Timed | null = null;
  dueAt = 0;

  /** Called at the deadline. Returns the milliseconds by which the deadline moves; at 0 or less the item expires. */
  extension(): number {
    return 0;
  }

  /** Called once at the deadline, unless the item was stopped before. */
  abstract expire(): void;
}

/** Items with the same timeout, in due order. */
interface DeadlineQueue {
  first: Timed | null;
  last: Timed | null;
}

/**
 * Watches the deadlines of all running requests with one timer, which stops while nothing is running. An item expires
 * at most one sweep (50 ms) after its deadline. Starting and stopping cost a few pointer writes: a timer or an
 * AbortSignal per request would be a large part of the request's cost.
 *
 * Time in which the process was stalled for a second or more does not count: the process could not have read an answer,
 * and would blame all endpoints at once.
 */
export class Deadlines {
  // Items with the same timeout fall due in start order, so no sorting is needed.
  readonly #queues = new Map<number, DeadlineQueue>();
  #timer: NodeJS.Timeout | null = null;
  #sweptAt = 0;
  // Total milliseconds in which the process was stalled.
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
    // Deferred, so that a process that was busy reads the answers that have arrived first.
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => setImmediate(() => this.#sweep()), SWEEP_INTERVAL);
    this.#sweptAt = now;
  }

  /** Returns the milliseconds until the deadline of an item that was started; negative when it is over. */
  left({ dueAt }: Timed): number {
    return dueAt - (performance.now() - this.#stoodStill);
  }

  /** Removes the item; does nothing when the item was stopped or has expired before. */
  stop(item: Timed): void {
    const { queue, earlier, later } = item;
    if (queue === null) return;
    if (earlier === null) queue.first = later;
    else earlier.later = later;
    if (later === null) queue.last = earlier;
    else later.earlier = earlier;
    item.queue = item.earlier = item.later = null;
  }

  /**
   * Expires all items before their deadlines. The latest item goes first, so that no waiting item starts in the place
   * of an expired one.
   */
  expireAll(): void {
    for (const queue of this.#queues.values()) {
      while (queue.last !== null) {
        const item = queue.last;
        this.stop(item);
        item.expire();
      }
    }
  }

  #reached(item: Timed): void {
    this.stop(item);
    const milliseconds = item.extension();
    if (milliseconds > 0) this.start(item, Math.ceil(milliseconds));
    else item.expire();
  }

  #sweep(): void {
    const real = performance.now();
    const late = real - this.#sweptAt - SWEEP_INTERVAL;
    this.#sweptAt = real;
    if (late > STANDSTILL) this.#stoodStill += late;
    const now = real - this.#stoodStill;
    for (const [timeout, queue] of this.#queues) {
      while (queue.first !== null && queue.first.dueAt <= now) {
        this.#reached(queue.first);
      }
      if (queue.first === null) this.#queues.delete(timeout);
    }
    if (this.#queues.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }
}
