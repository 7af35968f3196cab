import { InvalidInputError } from '../../errors/index.js';

const DEFAULT_CAPACITY = 100_000;

/** What a store in memory knows of a message or a key. */
export interface ExpiringEntry {
  /** Token of the attempt that processes a message; null when none does. */
  readonly token: string | null;
  readonly keptUntil: number;
}

/** The entries of a store in memory, in the order of their last change: the oldest come first. */
export class ExpiringEntries<Entry extends ExpiringEntry> extends Map<string, Entry> {
  constructor(private readonly capacity: number = DEFAULT_CAPACITY) {
    super();
    if (!(Number.isInteger(capacity) && capacity > 0)) {
      throw new InvalidInputError('capacity', 'must be a whole number above 0');
    }
  }

  override set(key: string, entry: Entry): this {
    this.delete(key);
    return super.set(key, entry);
  }

  /** Drops expired entries, and the oldest ones beyond the capacity unless an attempt has them. */
  makeRoom(now: number): void {
    for (const [key, { token, keptUntil }] of this) {
      const isOver = keptUntil <= now;
      if (!isOver && this.size <= this.capacity) return;
      if (isOver || token === null) this.delete(key);
    }
  }
}
