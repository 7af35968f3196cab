/**
 * What one connection's open transactions have collected: a frame for the transaction and one for each savepoint within. A
 * frame joins its parent when its savepoint is released and vanishes when it is rolled back.
 */
export class TransactionFrames<Item> {
  #items: Item[] = [];
  /** For each open frame the number of items before it. */
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

  /** The innermost savepoint was released: what it holds now depends on its parent. */
  merge(): void {
    if (this.depth > 1) this.#begins.pop();
  }

  /** The innermost transaction or savepoint was rolled back. */
  drop(): void {
    if (this.depth > 0) this.#items.length = this.#begins.pop()!;
  }

  /** Empties every frame and leaves it open. @returns what they held, oldest first */
  drain(): Item[] {
    const items = this.#items;
    this.#items = [];
    this.#begins.fill(0);
    return items;
  }

  /** The outermost transaction has committed, and with it whatever is still open. @returns what was left, oldest first */
  close(): Item[] {
    this.#begins.length = 0;
    return this.drain();
  }
}
