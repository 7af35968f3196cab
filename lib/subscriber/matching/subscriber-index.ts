import { PatternTrie } from './pattern-trie.js';
import { SubscriberGroup } from './subscriber-group.js';
import type { MatchCriteria } from '../model/subscriber.repository.js';
import { isActive, type Subscriber } from '../model/subscriber.js';

/** The longest list of an owner's subscribers that each message is compared with. Beyond it the owner gets a group. */
const MOST_LISTED = 32;

/**
 * Every active subscriber in memory, found by event and owner without a scan. The cost of a search grows with the
 * subscribers that it finds.
 */
export class SubscriberIndex {
  /** The maximum number of cached event names; beyond it, the cache is cleared. */
  static readonly MAX_CACHED_NAMES = 10_000;
  static readonly MAX_CACHED_RESULTS = 1_000_000;

  readonly #subscribers = new Map<string, Subscriber>();
  /** The number of subscribers that listen to each distinct pattern. */
  readonly #uses = new Map<string, number>();
  readonly #trie = new PatternTrie<string>();
  /** Created with the first message to everyone, because the group is large and many applications send no such message. */
  #everyone: SubscriberGroup | null = null;
  readonly #ownerless = new SubscriberGroup();
  /** The subscribers by owner. Most owners have few subscribers, and a short list takes less memory than a group. */
  readonly #owned = new Map<string, Subscriber[] | SubscriberGroup>();
  readonly #events = new Map<string, EventMatches>();
  #cachedResults = 0;
  #ending = 0;

  /** @param holds chooses the subscribers that are kept. Default: the active ones */
  constructor(private readonly holds: (subscriber: Subscriber) => boolean = isActive) {}

  /** False when no subscriber of the index has an end. */
  get hasEnding(): boolean {
    return this.#ending > 0;
  }

  get(id: string): Subscriber | undefined {
    return this.#subscribers.get(id);
  }

  /** Adds a subscriber, or replaces the subscriber with its id. A subscriber that `holds` refuses is only removed. */
  set(subscriber: Subscriber): void {
    this.delete(subscriber.id);
    if (!this.holds(subscriber)) return;
    for (const pattern of subscriber.events) this.#use(pattern);
    this.#subscribers.set(subscriber.id, subscriber);
    if (subscriber.expiresAt !== null) this.#ending++;
    this.#everyone?.add(subscriber);
    if (subscriber.owner === null) this.#ownerless.add(subscriber);
    else this.#own(subscriber.owner, subscriber);
    this.#forget();
  }

  /** Removes the subscriber with this id, if there is one. */
  delete(id: string): void {
    const subscriber = this.#subscribers.get(id);
    if (subscriber === undefined) return;
    this.#subscribers.delete(id);
    if (subscriber.expiresAt !== null) this.#ending--;
    this.#everyone?.remove(subscriber);
    if (subscriber.owner === null) this.#ownerless.remove(subscriber);
    else this.#disown(subscriber.owner, subscriber);
    for (const pattern of subscriber.events) this.#release(pattern);
    this.#forget();
  }

  /**
   * The enabled subscribers of a message, each once, in no particular order. With the audience `owner` the result has
   * the subscribers of the owner and the subscribers without an owner. When the owner is null, the result has the
   * subscribers without an owner only.
   */
  match({ event, owner, audience }: MatchCriteria): readonly Subscriber[] {
    const matches = this.#events.get(event) ?? this.#matchesOf(event);
    if (audience === 'everyone') {
      return (matches.everyone ??= this.#remembered(
        this.#groupOfEveryone().find(matches.patterns),
      ));
    }
    if (owner === null) return matches.ownerless;
    const own = this.#ownedBy(owner, matches.patterns);
    if (own.length === 0) return matches.ownerless;
    return matches.ownerless.length === 0 ? own : [...own, ...matches.ownerless];
  }

  /** Tells whether {@link match} finds a subscriber, without making the list. */
  hears({ event, owner, audience }: MatchCriteria): boolean {
    const { patterns, ownerless } = this.#events.get(event) ?? this.#matchesOf(event);
    if (audience === 'everyone' || ownerless.length > 0) return patterns.length > 0;
    return owner !== null && this.#ownedBy(owner, patterns).length > 0;
  }

  #own(owner: string, subscriber: Subscriber): void {
    const own = this.#owned.get(owner);
    if (own === undefined) this.#owned.set(owner, [subscriber]);
    else if (own instanceof SubscriberGroup) own.add(subscriber);
    else if (own.push(subscriber) > MOST_LISTED) this.#owned.set(owner, groupOf(own));
  }

  #disown(owner: string, subscriber: Subscriber): void {
    const own = this.#owned.get(owner)!;
    if (own instanceof SubscriberGroup) own.remove(subscriber);
    else own.splice(own.indexOf(subscriber), 1);
    if (own instanceof SubscriberGroup ? own.isEmpty : own.length === 0) this.#owned.delete(owner);
  }

  #ownedBy(owner: string, patterns: readonly string[]): readonly Subscriber[] {
    const own = this.#owned.get(owner) ?? [];
    if (own instanceof SubscriberGroup) return own.find(patterns);
    return own.filter(({ events }) => events.some((pattern) => patterns.includes(pattern)));
  }

  #groupOfEveryone(): SubscriberGroup {
    return (this.#everyone ??= groupOf(this.#subscribers.values()));
  }

  #use(pattern: string): void {
    const uses = this.#uses.get(pattern) ?? 0;
    if (uses === 0) this.#trie.set(pattern, pattern);
    this.#uses.set(pattern, uses + 1);
  }

  #release(pattern: string): void {
    const left = this.#uses.get(pattern)! - 1;
    if (left > 0) {
      this.#uses.set(pattern, left);
      return;
    }
    this.#uses.delete(pattern);
    this.#trie.delete(pattern);
  }

  #matchesOf(event: string): EventMatches {
    if (this.#events.size >= SubscriberIndex.MAX_CACHED_NAMES) this.#forget();
    const patterns = this.#trie.matching(event);
    const ownerless = this.#remembered(this.#ownerless.find(patterns));
    const matches: EventMatches = { patterns, ownerless, everyone: null };
    this.#events.set(event, matches);
    return matches;
  }

  /**
   * Keeps a result for the next message. It is frozen, since many callers get the same list, and the number of kept
   * results is bounded.
   */
  #remembered(found: Subscriber[]): readonly Subscriber[] {
    this.#cachedResults += found.length;
    if (this.#cachedResults > SubscriberIndex.MAX_CACHED_RESULTS) {
      this.#forget();
      this.#cachedResults = found.length;
    }
    return Object.freeze(found);
  }

  #forget(): void {
    // Clearing an empty map also allocates a new one, and this runs for each subscriber that is loaded.
    if (this.#events.size > 0) this.#events.clear();
    this.#cachedResults = 0;
  }
}

function groupOf(subscribers: Iterable<Subscriber>): SubscriberGroup {
  const group = new SubscriberGroup();
  for (const subscriber of subscribers) group.add(subscriber);
  return group;
}

interface EventMatches {
  readonly patterns: readonly string[];
  readonly ownerless: readonly Subscriber[];
  everyone: readonly Subscriber[] | null;
}
