import { PatternTrie } from './pattern-trie.js';
import { LargeGroup, SmallGroup, type SubscriberGroup } from './subscriber-group.js';
import type { MatchCriteria } from './subscriber.repository.js';
import type { Subscriber } from './subscriber.js';

/**
 * Every enabled subscriber in memory, found by event and owner without a scan: what a search costs depends on what it
 * finds, not on how many subscribers there are.
 */
export class SubscriberIndex {
  /** What is remembered per event name until the next change; more names or results than this are forgotten. */
  static readonly MAX_CACHED_NAMES = 10_000;
  static readonly MAX_CACHED_RESULTS = 1_000_000;

  readonly #entries = new Map<string, Entry>();
  readonly #patterns = new Map<string, PatternUse>();
  readonly #trie = new PatternTrie<PatternUse>();
  readonly #everyone = new LargeGroup();
  readonly #ownerless = new LargeGroup();
  readonly #owners = new Map<string, SubscriberGroup>();
  readonly #events = new Map<string, EventMatches>();
  #cachedResults = 0;
  #nextPattern = 0;

  /** How many enabled subscribers there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds a subscriber or replaces the one with its id; a disabled one is only kept out. */
  set(subscriber: Subscriber): void {
    this.delete(subscriber.id);
    if (!subscriber.enabled) return;
    const patterns = subscriber.events.map((pattern) => this.#use(pattern));
    this.#entries.set(subscriber.id, { subscriber, patterns });
    this.#everyone.add(subscriber, patterns);
    this.#groupFor(subscriber.owner).add(subscriber, patterns);
    this.#forget();
  }

  /** Removes the subscriber with this id, if there is one. */
  delete(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { subscriber, patterns } = entry;
    this.#entries.delete(id);
    this.#everyone.remove(subscriber, patterns);
    const { owner } = subscriber;
    if (owner === null) {
      this.#ownerless.remove(subscriber, patterns);
    } else {
      const group = this.#owners.get(owner)!;
      group.remove(subscriber, patterns);
      if (group.size === 0) this.#owners.delete(owner);
    }
    for (const pattern of subscriber.events) this.#release(pattern);
    this.#forget();
  }

  /**
   * The enabled subscribers of a message, each once, in no particular order. With the audience `sender` those are the
   * sender's and the ownerless ones; a null sender leaves the ownerless ones alone.
   */
  match({ event, sender, audience }: MatchCriteria): readonly Subscriber[] {
    const matches = this.#events.get(event) ?? this.#matchesOf(event);
    if (audience === 'everyone') {
      return (matches.everyone ??= this.#remembered(this.#everyone.find(matches.patterns)));
    }
    const own = sender === null ? undefined : this.#owners.get(sender)?.find(matches.patterns);
    if (own === undefined || own.length === 0) return matches.ownerless;
    return matches.ownerless.length === 0 ? own : own.concat(matches.ownerless);
  }

  #groupFor(owner: string | null): SubscriberGroup {
    if (owner === null) return this.#ownerless;
    let group = this.#owners.get(owner);
    if (group === undefined) {
      group = new SmallGroup();
      this.#owners.set(owner, group);
    } else if (group instanceof SmallGroup && group.size === SmallGroup.MAX_SIZE) {
      group = group.grown();
      this.#owners.set(owner, group);
    }
    return group;
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
    this.#events.clear();
    this.#cachedResults = 0;
  }
}

interface Entry {
  readonly subscriber: Subscriber;
  readonly patterns: readonly number[];
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
