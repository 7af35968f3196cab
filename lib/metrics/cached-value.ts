import type { Clock } from '../common/index.js';

/** An answer that is given again for a while: several metrics need it in one scrape, and several scrape. */
export class Remembered<Value> {
  readonly #clock: Clock;
  readonly #keptFor: number;
  readonly #read: () => Promise<Value | null>;
  #last: { readonly at: number; readonly value: Promise<Value | null> } | null = null;

  /** @param keptFor milliseconds */
  constructor(clock: Clock, keptFor: number, read: () => Promise<Value | null>) {
    this.#clock = clock;
    this.#keptFor = keptFor;
    this.#read = read;
  }

  get(): Promise<Value | null> {
    const now = this.#clock.now();
    if (this.#last === null || now - this.#last.at >= this.#keptFor) {
      this.#last = { at: now, value: this.#read() };
    }
    return this.#last.value;
  }
}
