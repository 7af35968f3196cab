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
