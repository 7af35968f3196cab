/**
 * The items that the open transactions of one connection have collected. There is one frame for the transaction and one
 * for each savepoint in it. When a savepoint is released, its frame joins its parent; when it is rolled back, its frame
 * is dropped.
 */
export class TransactionFrames<Item> {
  #items: Item[] = [];
  /** For each open frame, the number of items before it. */
  readonly #begins: number[] = [];

  /** The number of open transactions, the outermost included. */
  get depth(): number {
    return this.#begins.length;
  }

  /** A transaction or a savepoint has begun. */
  begin(): void {
    this.#begins.push(this.#items.length);
  }

  /** Adds to the innermost frame. */
  add(item: Item): void {
    if (this.depth === 0) throw new RangeError('No transaction is open');
    this.#items.push(item);
  }

  /** The first item that meets a condition. */
  find<Found extends Item>(is: (item: Item) => item is Found): Found | undefined {
    return this.#items.find(is);
  }

  /** The innermost savepoint was released: from now on its items share the fate of its parent. */
  merge(): void {
    if (this.depth > 1) this.#begins.pop();
  }

  /** The innermost transaction or savepoint was rolled back. */
  drop(): void {
    if (this.depth > 0) this.#items.length = this.#begins.pop()!;
  }

  /** Empties every frame and leaves it open. @returns the items, oldest first */
  drain(): Item[] {
    const items = this.#items;
    this.#items = [];
    this.#begins.fill(0);
    return items;
  }

  /**
   * The outermost transaction has committed, and with it all open savepoints. @returns the remaining items, oldest
   * first
   */
  close(): Item[] {
    this.#begins.length = 0;
    return this.drain();
  }
}
