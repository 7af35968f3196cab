import type { Subscriber } from '../model/subscriber.js';

/** Any number of subscribers, in a set per pattern, so that the cost of a search grows with the subscribers that it finds. */
export class SubscriberGroup {
  readonly #byPattern = new Map<string, Set<Subscriber>>();

  add(subscriber: Subscriber): void {
    for (const pattern of subscriber.events) {
      const listeners = this.#byPattern.get(pattern);
      if (listeners === undefined) this.#byPattern.set(pattern, new Set([subscriber]));
      else listeners.add(subscriber);
    }
  }

  remove(subscriber: Subscriber): void {
    for (const pattern of subscriber.events) {
      const listeners = this.#byPattern.get(pattern);
      listeners?.delete(subscriber);
      if (listeners?.size === 0) this.#byPattern.delete(pattern);
    }
  }

  get isEmpty(): boolean {
    return this.#byPattern.size === 0;
  }

  /** Each subscriber that listens to one of `patterns`, once. */
  find(patterns: readonly string[]): Subscriber[] {
    const hit = patterns.flatMap((pattern) => this.#byPattern.get(pattern) ?? []);
    if (hit.length === 1) return [...hit[0]!];
    const found = new Set<Subscriber>();
    for (const listeners of hit) for (const subscriber of listeners) found.add(subscriber);
    return [...found];
  }
}
