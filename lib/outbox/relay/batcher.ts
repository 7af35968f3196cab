interface Asked<Item> {
  readonly item: Item;
  readonly resolve: (isTaken: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Takes what comes one by one in sets: one at a time, each with all that has come meanwhile. */
export class Batcher<Item extends { readonly id: string }> {
  #asked: Asked<Item>[] = [];
  #isTaking = false;

  /**
   * @param take answers the ids of those that it took
   * @param most items in one set
   */
  constructor(
    private readonly take: (items: readonly Item[]) => Promise<ReadonlySet<unknown>>,
    private readonly most: number,
  ) {}

  /**
   * @returns whether it was taken
   * @throws what taking its set has thrown
   */
  add(item: Item): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ item, resolve, reject });
      if (!this.#isTaking) void this.#takeAll();
    });
  }

  async #takeAll(): Promise<void> {
    this.#isTaking = true;
    while (this.#asked.length > 0) {
      const set = this.#asked.splice(0, this.most);
      try {
        const taken = await this.take(set.map(({ item }) => item));
        for (const { item, resolve } of set) resolve(taken.has(item.id));
      } catch (error) {
        for (const { reject } of set) reject(error);
      }
    }
    this.#isTaking = false;
  }
}
