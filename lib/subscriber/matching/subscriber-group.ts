import type { Subscriber } from '../model/subscriber.js';

/** Any number of subscribers, in a set per pattern: finding costs what is found. Patterns go by their numbers. */
export class SubscriberGroup {
  size = 0;
  readonly #byPattern = new Map<number, Set<Subscriber>>();

  add(subscriber: Subscriber, patterns: readonly number[]): void {
    this.size++;
    for (const pattern of patterns) {
      const listeners = this.#byPattern.get(pattern);
      if (listeners === undefined) this.#byPattern.set(pattern, new Set([subscriber]));
      else listeners.add(subscriber);
    }
  }

  remove(subscriber: Subscriber, patterns: readonly number[]): void {
    this.size--;
    for (const pattern of patterns) {
      const listeners = this.#byPattern.get(pattern);
      listeners?.delete(subscriber);
      if (listeners?.size === 0) this.#byPattern.delete(pattern);
    }
  }

  /** Each subscriber that listens to one of `patterns`, once. */
  find(patterns: readonly number[]): Subscriber[] {
    const hit = patterns.flatMap((pattern) => this.#byPattern.get(pattern) ?? []);
    if (hit.length === 1) return [...hit[0]!];
    const found = new Set<Subscriber>();
    for (const listeners of hit) for (const subscriber of listeners) found.add(subscriber);
    return [...found];
  }
}
