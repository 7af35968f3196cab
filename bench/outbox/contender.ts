import type { Candidate } from '../harness.js';

/** What every event of these benches carries: about 1 KiB once it is in its envelope. */
export const DATA = { text: 'x'.repeat(900) };

/** A way to send an event to its subscribers. */
export interface Contender extends Candidate {
  /**
   * Sends one event; resolves when every subscriber has answered.
   *
   * @param answered told of each answer, with the subscriber's place in the list
   */
  send(answered?: (subscriber: number) => void): Promise<void>;
  /** Without a listener. */
  once(): Promise<void>;
  stop(): Promise<void>;
}

/** Events that wait for answers. */
export class Unanswered<Key> {
  readonly #waiting = new Map<Key, Waiting>();

  constructor(private readonly subscribers: number) {}

  get size(): number {
    return this.#waiting.size;
  }

  add(key: Key, answered: ((subscriber: number) => void) | undefined): Promise<void> {
    return new Promise((done) => {
      this.#waiting.set(key, { left: this.subscribers, answered, done });
    });
  }

  answered(key: Key, subscriber: number): void {
    const one = this.#waiting.get(key);
    if (one === undefined) return;
    one.answered?.(subscriber);
    if (--one.left > 0) return;
    this.#waiting.delete(key);
    one.done();
  }
}

interface Waiting {
  left: number;
  readonly answered: ((subscriber: number) => void) | undefined;
  readonly done: () => void;
}
