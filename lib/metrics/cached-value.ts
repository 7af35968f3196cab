import type { Clock } from '../common/index.js';

/** An answer that is given again for a while: several metrics need it in one scrape, and several scrape. */
export class Remembered<Value> {
  #last: { readonly at: number; readonly value: Promise<Value | null> } | null = null;

  /** @param keptFor milliseconds */
  constructor(
    private readonly clock: Clock,
    private readonly keptFor: number,
    private readonly read: () => Promise<Value | null>,
  ) {}

  get(): Promise<Value | null> {
    const now = this.clock.now();
    if (this.#last === null || now - this.#last.at >= this.keptFor) {
      this.#last = { at: now, value: this.read() };
    }
    return this.#last.value;
  }
}
