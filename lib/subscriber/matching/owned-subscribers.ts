import { SubscriberGroup } from './subscriber-group.js';
import type { Subscriber } from '../model/subscriber.js';

/** The number of pattern-subscriber pairs above which an owner gets a {@link SubscriberGroup}. */
const MAX_PAIRS = 64;
/** The header of a run: the number of its pairs, and its capacity. */
const HEADER = 2;
const CROWD = -1;
const NONE: readonly Subscriber[] = Object.freeze([]);

/**
 * The subscribers of each owner. Owners are many and have few each, and every message asks for another: what counts
 * is in how many places of the memory one has to look. So the pairs of pattern and subscriber of one owner are
 * neighbours in two long lists that all owners share, and are read from front to back.
 */
export class OwnedSubscribers {
  /** The start of each owner's run in the lists; {@link CROWD} for the few owners with a group. */
  readonly #runs = new Map<string, number>();
  readonly #crowds = new Map<string, SubscriberGroup>();
  #patterns = new Int32Array(1024);
  #subscribers: (Subscriber | null)[] = [];
  #abandoned = 0;

  add(owner: string, subscriber: Subscriber, patterns: readonly number[]): void {
    const run = this.#runs.get(owner);
    const pairs = run === undefined || run === CROWD ? 0 : this.#patterns[run]!;
    if (run === CROWD || pairs + patterns.length > MAX_PAIRS) {
      this.#crowdOf(owner).add(subscriber, patterns);
      return;
    }
    const start = this.#runWithRoom(owner, pairs + patterns.length);
    let end = start + HEADER + pairs;
    for (const pattern of patterns) {
      this.#patterns[end] = pattern;
      this.#subscribers[end++] = subscriber;
    }
    this.#patterns[start] = pairs + patterns.length;
  }

  remove(owner: string, subscriber: Subscriber, patterns: readonly number[]): void {
    const run = this.#runs.get(owner)!;
    if (run === CROWD) {
      const crowd = this.#crowds.get(owner)!;
      crowd.remove(subscriber, patterns);
      if (crowd.size > 0) return;
      this.#crowds.delete(owner);
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
    if (this.#patterns[run] === 0) this.#abandon(owner, run);
  }

  /** Each subscriber of the owner that listens to one of `patterns`, once. */
  find(owner: string, patterns: readonly number[]): readonly Subscriber[] {
    const run = this.#runs.get(owner);
    if (run === undefined) return NONE;
    if (run === CROWD) return this.#crowds.get(owner)!.find(patterns);
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
  #runWithRoom(owner: string, pairs: number): number {
    const run = this.#runs.get(owner);
    if (run !== undefined && pairs <= this.#patterns[run + 1]!) return run;
    if (run === undefined) return this.#append(owner, pairs, [], []);
    const moved = this.#pairsOf(run);
    this.#abandon(owner, run);
    // Half as much again, since an owner who subscribes does so repeatedly.
    return this.#append(owner, pairs + (pairs >> 1), moved.patterns, moved.subscribers);
  }

  #append(
    owner: string,
    room: number,
    patterns: ArrayLike<number>,
    subscribers: readonly (Subscriber | null)[],
  ): number {
    if (this.#abandoned > 1024 && this.#abandoned > this.#subscribers.length / 2) this.#tidy();
    const run = this.#subscribers.length;
    for (let at = 0; at < HEADER + room; at++) {
      this.#subscribers.push(at < HEADER ? null : (subscribers[at - HEADER] ?? null));
    }
    if (this.#subscribers.length > this.#patterns.length) {
      const longer = new Int32Array(2 * this.#subscribers.length);
      longer.set(this.#patterns);
      this.#patterns = longer;
    }
    this.#patterns[run] = patterns.length;
    this.#patterns[run + 1] = room;
    this.#patterns.set(patterns, run + HEADER);
    this.#runs.set(owner, run);
    return run;
  }

  #pairsOf(run: number) {
    const [from, to] = [run + HEADER, this.#endOf(run)];
    return {
      patterns: this.#patterns.slice(from, to),
      subscribers: this.#subscribers.slice(from, to),
    };
  }

  #abandon(owner: string, run: number): void {
    const room = this.#patterns[run + 1]!;
    this.#subscribers.fill(null, run, run + HEADER + room);
    this.#abandoned += HEADER + room;
    this.#runs.delete(owner);
  }

  /** Writes the lists anew, without what was abandoned. */
  #tidy(): void {
    const all = [...this.#runs].filter(([, run]) => run !== CROWD);
    const kept = all.map(([owner, run]) => ({ owner, ...this.#pairsOf(run) }));
    this.#subscribers = [];
    this.#abandoned = 0;
    for (const { owner, patterns, subscribers } of kept) {
      this.#append(owner, patterns.length, patterns, subscribers);
    }
  }

  /** The owner's group, made of its run when it has outgrown that. */
  #crowdOf(owner: string): SubscriberGroup {
    const known = this.#crowds.get(owner);
    if (known !== undefined) return known;
    const crowd = new SubscriberGroup();
    const run = this.#runs.get(owner);
    if (run !== undefined) {
      const { patterns, subscribers } = this.#pairsOf(run);
      for (const subscriber of new Set(subscribers)) {
        const own = patterns.filter((_, at) => subscribers[at] === subscriber);
        crowd.add(subscriber!, [...own]);
      }
      this.#abandon(owner, run);
    }
    this.#crowds.set(owner, crowd);
    this.#runs.set(owner, CROWD);
    return crowd;
  }
}
