import type { Subscriber } from './subscriber.js';

/** The subscribers of one owner, found by the numbers of the patterns that an event matches. */
export interface SubscriberGroup {
  readonly size: number;
  add(subscriber: Subscriber, patterns: readonly number[]): void;
  remove(subscriber: Subscriber, patterns: readonly number[]): void;
  /** Each subscriber that listens to one of `patterns`, once. */
  find(patterns: readonly number[]): Subscriber[];
}

/** For the few subscribers that most owners have: two flat lists, read from front to back. */
export class SmallGroup implements SubscriberGroup {
  /** Beyond this a {@link LargeGroup} is faster. */
  static readonly MAX_SIZE = 32;

  size = 0;
  // One entry per subscriber and pattern; those of a subscriber are neighbours.
  #patterns: number[] = [];
  #subscribers: Subscriber[] = [];

  add(subscriber: Subscriber, patterns: readonly number[]): void {
    this.size++;
    this.#patterns.push(...patterns);
    this.#subscribers.push(...patterns.map(() => subscriber));
  }

  remove(subscriber: Subscriber): void {
    this.size--;
    const stays = this.#subscribers.map((other) => other !== subscriber);
    this.#patterns = this.#patterns.filter((_, at) => stays[at]);
    this.#subscribers = this.#subscribers.filter((_, at) => stays[at]);
  }

  find(patterns: readonly number[]): Subscriber[] {
    const found: Subscriber[] = [];
    let last: Subscriber | undefined;
    for (let at = 0; at < this.#patterns.length; at++) {
      if (!patterns.includes(this.#patterns[at]!)) continue;
      const subscriber = this.#subscribers[at]!;
      if (subscriber === last) continue;
      found.push(subscriber);
      last = subscriber;
    }
    return found;
  }

  /** The same subscribers as a large group. */
  grown(): LargeGroup {
    const large = new LargeGroup();
    for (const subscriber of new Set(this.#subscribers)) {
      large.add(
        subscriber,
        this.#patterns.filter((_, at) => this.#subscribers[at] === subscriber),
      );
    }
    return large;
  }
}

/** For any number of subscribers: a set per pattern, so that finding costs what is found. */
export class LargeGroup implements SubscriberGroup {
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

  find(patterns: readonly number[]): Subscriber[] {
    const hit = patterns.flatMap((pattern) => this.#byPattern.get(pattern) ?? []);
    if (hit.length === 1) return [...hit[0]!];
    const found = new Set<Subscriber>();
    for (const listeners of hit) for (const subscriber of listeners) found.add(subscriber);
    return [...found];
  }
}
