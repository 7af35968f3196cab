import { OwnedSubscribers } from './owned-subscribers.js';
import { PatternTrie } from './pattern-trie.js';
import { SubscriberGroup } from './subscriber-group.js';
import type { MatchCriteria } from '../model/subscriber.repository.js';
import { isActive, type Subscriber } from '../model/subscriber.js';

/**
 * Every active subscriber in memory, found by event and owner without a scan: what a search costs depends on what it
 * finds, not on how many subscribers there are.
 */
export class SubscriberIndex<Kept extends Subscriber = Subscriber> {
  /** The maximum number of cached event names; beyond it, the cache is cleared. */
  static readonly MAX_CACHED_NAMES = 10_000;
  static readonly MAX_CACHED_RESULTS = 1_000_000;

  readonly #subscribers = new Map<string, Kept>();
  readonly #patterns = new Map<string, PatternUse>();
  readonly #trie = new PatternTrie<PatternUse>();
  /** Made for the first message to everyone: many applications send none, and it is large. */
  #everyone: SubscriberGroup | null = null;
  readonly #ownerless = new SubscriberGroup();
  readonly #owned = new OwnedSubscribers();
  readonly #events = new Map<string, EventMatches>();
  #cachedResults = 0;
  #nextPattern = 0;

  /** @param holds chooses the subscribers that are kept. Default: the active ones */
  constructor(private readonly holds: (subscriber: Subscriber) => boolean = isActive) {}

  /** The number of subscribers. */
  get size(): number {
    return this.#subscribers.size;
  }

  get ids(): Iterable<string> {
    return this.#subscribers.keys();
  }

  get(id: string): Kept | undefined {
    return this.#subscribers.get(id);
  }

  /** Adds a subscriber or replaces the one with its id; one that does not belong here is only kept out. */
  set(subscriber: Kept): void {
    this.delete(subscriber.id);
    this.add(subscriber);
  }

  /** As {@link set}, of a subscriber whose id is not here. */
  add(subscriber: Kept): void {
    if (!this.holds(subscriber)) return;
    const patterns = subscriber.events.map((pattern) => this.#use(pattern));
    this.#subscribers.set(subscriber.id, subscriber);
    this.#everyone?.add(subscriber, patterns);
    if (subscriber.owner === null) this.#ownerless.add(subscriber, patterns);
    else this.#owned.add(subscriber.owner, subscriber, patterns);
    this.#forget();
  }

  /** Removes the subscriber with this id, if there is one. */
  delete(id: string): void {
    const subscriber = this.#subscribers.get(id);
    if (subscriber === undefined) return;
    const patterns = this.#numbersOf(subscriber);
    this.#subscribers.delete(id);
    this.#everyone?.remove(subscriber, patterns);
    if (subscriber.owner === null) this.#ownerless.remove(subscriber, patterns);
    else this.#owned.remove(subscriber.owner, subscriber, patterns);
    for (const pattern of subscriber.events) this.#release(pattern);
    this.#forget();
  }

  /**
   * The enabled subscribers of a message, each once, in no particular order. With the audience `owner` those are the
   * owner's and the ownerless ones; a null owner leaves the ownerless ones alone.
   */
  match({ event, owner, audience }: MatchCriteria): readonly Subscriber[] {
    const matches = this.#events.get(event) ?? this.#matchesOf(event);
    if (audience === 'everyone') {
      return (matches.everyone ??= this.#remembered(
        this.#groupOfEveryone().find(matches.patterns),
      ));
    }
    if (owner === null) return matches.ownerless;
    const own = this.#owned.find(owner, matches.patterns);
    if (own.length === 0) return matches.ownerless;
    return matches.ownerless.length === 0 ? own : own.concat(matches.ownerless);
  }

  /** Tells whether {@link match} finds a subscriber, without making the list. */
  hears({ event, owner, audience }: MatchCriteria): boolean {
    const { patterns, ownerless } = this.#events.get(event) ?? this.#matchesOf(event);
    if (audience === 'everyone' || ownerless.length > 0) return patterns.length > 0;
    return owner !== null && this.#owned.find(owner, patterns).length > 0;
  }

  #groupOfEveryone(): SubscriberGroup {
    if (this.#everyone !== null) return this.#everyone;
    this.#everyone = new SubscriberGroup();
    for (const subscriber of this.#subscribers.values()) {
      this.#everyone.add(subscriber, this.#numbersOf(subscriber));
    }
    return this.#everyone;
  }

  #numbersOf({ events }: Subscriber): number[] {
    return events.map((pattern) => this.#patterns.get(pattern)!.number);
  }

  #use(pattern: string): number {
    let use = this.#patterns.get(pattern);
    if (use === undefined) {
      use = { number: this.#nextPattern++, uses: 0 };
      this.#patterns.set(pattern, use);
      this.#trie.set(pattern, use);
    }
    use.uses++;
    return use.number;
  }

  #release(pattern: string): void {
    const use = this.#patterns.get(pattern)!;
    use.uses--;
    if (use.uses > 0) return;
    this.#patterns.delete(pattern);
    this.#trie.delete(pattern);
  }

  #matchesOf(event: string): EventMatches {
    if (this.#events.size >= SubscriberIndex.MAX_CACHED_NAMES) this.#forget();
    const patterns = this.#trie.matching(event).map((use) => use.number);
    const ownerless = this.#remembered(this.#ownerless.find(patterns));
    const matches: EventMatches = { patterns, ownerless, everyone: null };
    this.#events.set(event, matches);
    return matches;
  }

  /** Results that are handed out again and again are frozen, and their number is bounded. */
  #remembered(found: Subscriber[]): readonly Subscriber[] {
    this.#cachedResults += found.length;
    if (this.#cachedResults > SubscriberIndex.MAX_CACHED_RESULTS) {
      this.#forget();
      this.#cachedResults = found.length;
    }
    return Object.freeze(found);
  }

  #forget(): void {
    // To clear an empty map makes a new one all the same, for each subscriber that is loaded.
    if (this.#events.size > 0) this.#events.clear();
    this.#cachedResults = 0;
  }
}

/** A distinct pattern and how many subscribers listen to it. */
interface PatternUse {
  readonly number: number;
  uses: number;
}

interface EventMatches {
  readonly patterns: readonly number[];
  readonly ownerless: readonly Subscriber[];
  everyone: readonly Subscriber[] | null;
}
