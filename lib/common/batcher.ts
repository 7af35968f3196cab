/** Options of {@link Batcher}. */
export interface BatcherOptions<Item> {
  /** The ids in an item. A batch never has the same id twice. */
  readonly idsOf: (item: Item) => readonly string[];
  /** Ids in one batch. An item with more of them is a batch of its own. */
  readonly size: number;
  /** Batches that are processed at the same time. Default 1. */
  readonly concurrency?: number;
  /**
   * Which items fail when a batch fails. `batch`: the items of the batch. `all`: the waiting items too, because their
   * batch would fail as well. `each`: the items of the batch are processed again one by one, so that only the item that
   * caused the error fails. Default `batch`.
   */
  readonly failing?: 'batch' | 'each' | 'all';
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Processes items in batches. Items share a batch when they are added in one turn of the event loop, or while earlier
 * batches are processed.
 */
export class Batcher<Item, Result> {
  #waiting: Entry<Item, Result>[] = [];
  #running = 0;
  #idle: (() => void)[] = [];

  constructor(
    private readonly process: (items: readonly Item[]) => Promise<Result>,
    private readonly options: BatcherOptions<Item>,
  ) {}

  /**
   * @returns the result of the batch that the item was in
   * @throws the error of that batch
   */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#running < (this.options.concurrency ?? 1)) void this.#run();
    });
  }

  /** Resolves when nothing waits or is being processed. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #run(): Promise<void> {
    this.#running++;
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) await this.#process(this.#nextBatch());
    this.#running--;
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #nextBatch(): readonly Entry<Item, Result>[] {
    const ids = new Set<string>();
    const batch: Entry<Item, Result>[] = [];
    const later: Entry<Item, Result>[] = [];
    for (const entry of this.#waiting) {
      const more = this.options.idsOf(entry.item);
      const fits = batch.length === 0 || ids.size + more.length <= this.options.size;
      if (!fits || more.some((id) => ids.has(id))) {
        later.push(entry);
        continue;
      }
      for (const id of more) ids.add(id);
      batch.push(entry);
    }
    this.#waiting = later;
    return batch;
  }

  async #process(batch: readonly Entry<Item, Result>[]): Promise<void> {
    const { failing = 'batch' } = this.options;
    try {
      const result = await this.process(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve(result);
    } catch (error) {
      if (failing === 'each' && batch.length > 1) {
        for (const entry of batch) await this.#process([entry]);
        return;
      }
      for (const { reject } of batch) reject(error);
      if (failing === 'all') for (const { reject } of this.#waiting.splice(0)) reject(error);
    }
  }
}
