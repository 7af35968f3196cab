/**
 * The changes that one connection's open transactions have collected: a frame for the transaction and one for each savepoint
 * within. A frame joins its parent when its savepoint is released and vanishes when it is rolled back.
 */
export class TransactionFrames<Item> {
  readonly #frames: Item[][] = [];

  /** The number of open transactions, the outermost included. */
  get depth(): number {
    return this.#frames.length;
  }

  /** A transaction or a savepoint has begun. */
  begin(): void {
    this.#frames.push([]);
  }

  /** Adds to the innermost frame. */
  add(item: Item): void {
    const innermost = this.#frames.at(-1);
    if (innermost === undefined) throw new RangeError('No transaction is open');
    innermost.push(item);
  }

  /** The innermost savepoint was released: what it holds now depends on its parent. */
  merge(): void {
    if (this.depth < 2) return;
    this.#frames.at(-2)!.push(...this.#frames.pop()!);
  }

  /** The innermost transaction or savepoint was rolled back. */
  drop(): void {
    this.#frames.pop();
  }

  /** Empties every frame and leaves it open. @returns what they held, oldest first */
  drain(): Item[] {
    const items: Item[] = [];
    for (const frame of this.#frames) items.push(...frame.splice(0));
    return items;
  }

  /** The outermost transaction has committed, and with it whatever is still open. @returns what was left, oldest first */
  close(): Item[] {
    return this.#frames.splice(0).flat();
  }
}
