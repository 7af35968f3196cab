/** The begin of a transaction or of a savepoint. */
interface Mark {
  /** That of a savepoint by hand. Those of TypeORM end in the order in which they have begun, and need none. */
  readonly name: string | undefined;
  /** The number of items before it. */
  at: number;
}

/**
 * What one connection's open transactions have collected: a frame for the transaction and one for each savepoint within. A
 * frame joins its parent when its savepoint is released and vanishes when it is rolled back.
 *
 * Savepoints by hand have frames as well, which end by their name. They may be left open: their parent's end is theirs.
 */
export class TransactionFrames<Item> {
  #items: Item[] = [];
  readonly #marks: Mark[] = [];
  #depth = 0;

  /** The number of open transactions, the outermost included, without savepoints by hand. */
  get depth(): number {
    return this.#depth;
  }

  /** A transaction or a savepoint has begun. */
  begin(): void {
    this.#marks.push({ name: undefined, at: this.#items.length });
    this.#depth++;
  }

  /** Adds to the innermost frame. */
  add(item: Item): void {
    if (this.#depth === 0) throw new RangeError('No transaction is open');
    this.#items.push(item);
  }

  /** The first item that meets a condition. */
  find<Found extends Item>(is: (item: Item) => item is Found): Found | undefined {
    return this.#items.find(is);
  }

  /** The innermost savepoint was released: what it holds now depends on its parent. */
  merge(): void {
    if (this.#depth > 1) this.#endInnermost();
  }

  /** The innermost transaction or savepoint was rolled back. */
  drop(): void {
    if (this.#depth > 0) this.#items.length = this.#endInnermost();
  }

  /** A savepoint by hand has begun. It may have the name of another one, which it hides. */
  savepoint(name: string): void {
    this.#marks.push({ name, at: this.#items.length });
  }

  /** A savepoint by hand was released, and those by hand within. */
  release(name: string): void {
    const index = this.#indexOf(name);
    if (index >= 0) this.#endByHand(index);
  }

  /** All since a savepoint by hand was rolled back; it is still there. One that is not known is older than all items. */
  rollbackTo(name: string): void {
    const index = this.#indexOf(name);
    const at = this.#marks[index]?.at ?? 0;
    this.#items.length = at;
    this.#endByHand(index + 1);
    for (const mark of this.#marks) mark.at = Math.min(mark.at, at);
  }

  /** Empties every frame and leaves it open. @returns what they held, oldest first */
  drain(): Item[] {
    const items = this.#items;
    this.#items = [];
    for (const mark of this.#marks) mark.at = 0;
    return items;
  }

  /** The outermost transaction has committed, and with it whatever is still open. @returns what was left, oldest first */
  close(): Item[] {
    this.#marks.length = 0;
    this.#depth = 0;
    return this.drain();
  }

  /** @returns the number of items before it */
  #endInnermost(): number {
    this.#depth--;
    for (;;) {
      const { name, at } = this.#marks.pop()!;
      if (name === undefined) return at;
    }
  }

  #indexOf(name: string): number {
    return this.#marks.findLastIndex((mark) => mark.name === name);
  }

  /** Ends savepoints by hand, of the marks from `index` on. TypeORM tells of the others. */
  #endByHand(index: number): void {
    const others = this.#marks.splice(index).filter((mark) => mark.name === undefined);
    this.#marks.push(...others);
  }
}
