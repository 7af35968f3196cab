import { SubscriberGroup } from './subscriber-group.js';
import type { Subscriber } from '../model/subscriber.js';

/** The number of pattern-subscriber pairs above which an owner gets a {@link SubscriberGroup}. */
const MAX_PAIRS = 64;
/** The header of a run: the number of its pairs, and its capacity. */
const HEADER = 2;
const GROUPED = -1;
const NONE: readonly Subscriber[] = Object.freeze([]);

/**
 * The subscribers of each owner. Owners are many and have few each, and every message asks for another: what counts
 * is how much of the memory is read. So the pairs of pattern and subscriber of one owner are
 * neighbours in two long lists that all owners share, and are read from front to back.
 */
export class OwnedSubscribers {
  /** The start of each owner's run in the lists; {@link GROUPED} for the few owners with a group. */
  readonly #runs = new Map<string, number>();
  readonly #groups = new Map<string, SubscriberGroup>();
  #patterns = new Int32Array(1024);
  #subscribers: (Subscriber | null)[] = [];
  #abandoned = 0;

  add(owner: string, subscriber: Subscriber, patterns: readonly number[]): void {
    const run = this.#runs.get(owner);
    const pairs = run === undefined || run === GROUPED ? 0 : this.#patterns[run]!;
    if (run === GROUPED || pairs + patterns.length > MAX_PAIRS) {
      this.#groupOf(owner).add(subscriber, patterns);
      return;
    }
    const start = this.#runWithCapacity(owner, pairs + patterns.length);
    let end = start + HEADER + pairs;
    for (const pattern of patterns) {
      this.#patterns[end] = pattern;
      this.#subscribers[end++] = subscriber;
    }
    this.#patterns[start] = pairs + patterns.length;
  }

  remove(owner: string, subscriber: Subscriber, patterns: readonly number[]): void {
    const run = this.#runs.get(owner)!;
    if (run === GROUPED) {
      const group = this.#groups.get(owner)!;
      group.remove(subscriber, patterns);
      if (group.size > 0) return;
      this.#groups.delete(owner);
      this.#runs.delete(owner);
      return;
    }
    const end = this.#endOf(run);
    let kept = run + HEADER;
    for (let at = kept; at < end; at++) {
      if (this.#subscribers[at] === subscriber) continue;
      this.#patterns[kept] = this.#patterns[at]!;
      this.#subscribers[kept++] = this.#subscribers[at]!;
    }
    this.#subscribers.fill(null, kept, end);
    this.#patterns[run] = kept - run - HEADER;
    if (this.#patterns[run] > 0) return;
    this.#abandon(run);
    this.#runs.delete(owner);
  }

  /** Each subscriber of the owner that listens to one of `patterns`, once. */
  find(owner: string, patterns: readonly number[]): readonly Subscriber[] {
    const run = this.#runs.get(owner);
    if (run === undefined) return NONE;
    if (run === GROUPED) return this.#groups.get(owner)!.find(patterns);
    const end = this.#endOf(run);
    const found: Subscriber[] = [];
    let last: Subscriber | null = null;
    for (let at = run + HEADER; at < end; at++) {
      if (!patterns.includes(this.#patterns[at]!)) continue;
      // Those of one subscriber are neighbours.
      if (this.#subscribers[at] === last) continue;
      last = this.#subscribers[at]!;
      found.push(last);
    }
    return found;
  }

  #endOf(run: number): number {
    return run + HEADER + this.#patterns[run]!;
  }

  /** The owner's run, moved to the end of the lists when it has to grow. */
  #runWithCapacity(owner: string, pairs: number): number {
    const known = this.#runs.get(owner);
    if (known !== undefined && pairs <= this.#patterns[known + 1]!) return known;
    if (this.#abandoned > 1024 && this.#abandoned > this.#subscribers.length / 2) this.#tidy();
    const run = this.#subscribers.length;
    if (known === undefined) this.#append(pairs);
    else {
      const from = this.#runs.get(owner)!;
      // Half as much again, since an owner who subscribes does so repeatedly.
      this.#append(pairs + (pairs >> 1), this.#patterns, this.#subscribers, from);
      this.#abandon(from);
    }
    this.#runs.set(owner, run);
    return run;
  }

  /** Adds a run to the end of the lists, which begins with the pairs of another one when that is given. */
  #append(
    capacity: number,
    patterns?: Int32Array,
    subscribers?: readonly (Subscriber | null)[],
    from = 0,
  ): void {
    const run = this.#subscribers.length;
    const pairs = patterns?.[from] ?? 0;
    if (run + HEADER + capacity > this.#patterns.length) {
      const longer = new Int32Array(2 * (run + HEADER + capacity));
      longer.set(this.#patterns);
      this.#patterns = longer;
    }
    this.#patterns[run] = pairs;
    this.#patterns[run + 1] = capacity;
    this.#subscribers.push(null, null);
    for (let at = 0; at < capacity; at++) {
      const of = from + HEADER + at;
      if (at < pairs) this.#patterns[run + HEADER + at] = patterns![of]!;
      this.#subscribers.push(at < pairs ? subscribers![of]! : null);
    }
  }

  #abandon(run: number): void {
    const capacity = this.#patterns[run + 1]!;
    this.#subscribers.fill(null, run, run + HEADER + capacity);
    this.#abandoned += HEADER + capacity;
  }

  /** Writes the lists anew, without what was abandoned. */
  #tidy(): void {
    const [patterns, subscribers] = [this.#patterns, this.#subscribers];
    this.#patterns = new Int32Array(patterns.length);
    this.#subscribers = [];
    this.#abandoned = 0;
    for (const [owner, run] of this.#runs) {
      if (run === GROUPED) continue;
      this.#runs.set(owner, this.#subscribers.length);
      this.#append(patterns[run]!, patterns, subscribers, run);
    }
  }

  /** The owner's group, made of its run when it has outgrown that. */
  #groupOf(owner: string): SubscriberGroup {
    const known = this.#groups.get(owner);
    if (known !== undefined) return known;
    const group = new SubscriberGroup();
    const run = this.#runs.get(owner);
    if (run !== undefined) {
      const [from, to] = [run + HEADER, this.#endOf(run)];
      const patterns = this.#patterns.slice(from, to);
      const subscribers = this.#subscribers.slice(from, to);
      for (const subscriber of new Set(subscribers)) {
        const own = patterns.filter((_, at) => subscribers[at] === subscriber);
        group.add(subscriber!, [...own]);
      }
      this.#abandon(run);
    }
    this.#groups.set(owner, group);
    this.#runs.set(owner, GROUPED);
    return group;
  }
}
