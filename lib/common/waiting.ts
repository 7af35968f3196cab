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

/**
 * Waits at most one second for work that an application has begun while it shuts down. The database may never answer,
 * and the rest of the shutdown must go on.
 */
export function endedSoon(work: Promise<void>): Promise<void> {
  return withTimeout(ENDS_WITHIN, work, () => undefined);
}

/**
 * Resolves or rejects like `work`, if `work` ends in time.
 *
 * @param late called when the time is up: returns the result, or throws the error. `work` itself goes on, and its
 *   result is ignored
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

/** Runs the tasks of one key one after the other. Tasks of different keys run at the same time. */
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
 * Wakes sleeping loops early, such as the claim loops when there is a row to claim or room for one. A loop that
 * compares {@link count} before and after its look at the database misses no signal.
 */
export class WakeSignal {
  #count = 0;
  #wakeAll: (() => void)[] = [];

  /** How often the signal was given. */
  get count(): number {
    return this.#count;
  }

  wake(): void {
    this.#count++;
    for (const wake of this.#wakeAll.splice(0)) wake();
  }

  /** Resolves after the given time, or earlier at the next {@link wake}. */
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
