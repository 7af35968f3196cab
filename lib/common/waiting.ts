/**
 * Waits for the server's answer.
 *
 * @throws Error after `milliseconds` without an answer
 */
export function orTimeout<Value>(milliseconds: number, answer: Promise<Value>): Promise<Value> {
  return withTimeout(milliseconds, answer, () => {
    throw new Error(`no answer within ${milliseconds} ms`);
  });
}

const ENDS_WITHIN = 1000;

/** Waits a second at most for work that an ending application has begun: the database may never answer, and others wait. */
export function endedSoon(work: Promise<void>): Promise<void> {
  return withTimeout(ENDS_WITHIN, work, () => undefined);
}

/**
 * Resolves or rejects as the work does, as long as it takes no longer.
 *
 * @param late what there is, or is thrown, when the time is up; the work goes on unattended
 */
export async function withTimeout<Value>(
  milliseconds: number,
  work: Promise<Value>,
  late: () => Value,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  return Promise.race([work, timeout.then(late)]).finally(() => clearTimeout(timer));
}

/** Runs the tasks of one key one after the other, those of different keys side by side. */
export class KeyedMutex<Key = string> {
  readonly #last = new Map<Key, Promise<unknown>>();

  async run<Result>(key: Key, task: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key);
    const running = before === undefined ? task() : before.then(task, task);
    this.#last.set(key, running);
    try {
      return await running;
    } finally {
      if (this.#last.get(key) === running) this.#last.delete(key);
    }
  }
}

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
