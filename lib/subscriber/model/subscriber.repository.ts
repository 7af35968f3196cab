import type { Audience } from '../../message/message.js';
import { type Secret } from '../../message/recipient.js';
import { SubscriberAudit } from './subscriber-audit.js';
import type { FailureFigures } from './subscriber-change.js';
import {
  isActive,
  type OwnerScope,
  type Subscriber,
  type SubscriberChanges,
} from './subscriber.js';

const NO_AUDIT = new SubscriberAudit();

/** One page of a list that is ordered by id, oldest first. */
export interface SubscriberPage {
  readonly items: readonly Subscriber[];
  /** Pass it as `after` to read on; null on the last page. */
  readonly next: string | null;
}

/** The page of subscribers that {@link SubscriberRepository.list} reads. */
export interface SubscriberListQuery {
  /** The greatest number of subscribers on the page. */
  readonly limit: number;
  /** The `next` of the page before. Default null: the first page. */
  readonly after?: string | null;
  /** A text that the URL or the description must hold. Default: all. */
  readonly search?: string;
}

/** The part of a message that decides who receives it. */
export interface MatchCriteria {
  readonly event: string;
  readonly owner: string | null;
  readonly audience: Audience;
}

/** Conditions of a change. */
export interface UpdateTerms {
  /** Who makes the change, for the audit. Default `application`. */
  readonly by?: string;
  /** The limits of the owner, for a move to another host. Default: no limit. */
  readonly limits?: SubscriberLimits;
  /**
   * Called with the subscriber as it is stored. When another write changes the subscriber between this check and the
   * change, `check` is called again with the new state. An error that it throws is passed on.
   */
  readonly check?: (current: Subscriber) => void;
}

/** The result of one page of {@link SubscriberRepository.reseal}. */
export interface ResealedPage {
  /** The number of subscribers that were read. */
  readonly checked: number;
  /** The number of rows that were written again. */
  readonly resealed: number;
  /** Ids of subscribers whose secrets cannot be opened. */
  readonly unreadable: readonly string[];
  /** Pass this as `after` to resume; null on the last page. */
  readonly next: string | null;
}

/**
 * Stores subscribers, and finds the subscribers of an event.
 *
 * Pluggable: this class is the injection token; the default uses the table `thorn_subscribers`. Replace it with
 * `ThornModule.forRoot({ subscriberRepository: MyRepository })`. Any implementation must pass the conformance suite
 * `subscriberRepositoryConformance`.
 *
 * Implementations store their input unchecked: `Subscribers`, which applications and the REST API call, checks URL,
 * patterns and secret.
 */
export abstract class SubscriberRepository {
  /** The audit of the subscribers. Default: keeps nothing, so that the option `notify` is refused. */
  readonly audit: SubscriberAudit = NO_AUDIT;

  /**
   * Stores a new subscriber; it matches from the moment the promise resolves. Each owner has a `key` once, also when
   * two calls name it at the same time, in one process or in two.
   *
   * @param limits the number of subscribers that the owner may have afterwards. When two calls compete for the last
   * slot, in one process or in two, one of them succeeds. Default: any number
   * @param by who creates it, for the audit. Default `application`
   * @returns the new subscriber; or, when the owner has a subscriber with this `key` already, that subscriber
   * unchanged: its id differs from the given id
   * @throws {@link LimitReachedError}; nothing is stored then
   */
  abstract create(
    subscriber: Subscriber,
    limits?: SubscriberLimits,
    by?: string,
  ): Promise<Subscriber>;

  /** Finds a subscriber; null when `scope` does not contain the id. */
  abstract findById(id: string, scope: OwnerScope): Promise<Subscriber | null>;

  /** Finds the subscriber of an owner that has a key. Default: by {@link list}, page by page. */
  async findByKey(owner: string | null, key: string): Promise<Subscriber | null> {
    let after: string | null = null;
    do {
      const page: SubscriberPage = await this.list({ owner }, { limit: 1000, after });
      const found = page.items.find((item) => item.key === key);
      if (found !== undefined) return found;
      after = page.next;
    } while (after !== null);
    return null;
  }

  /**
   * Finds the subscribers of some ids, in any order. Subscribers outside of `scope`, and subscribers that cannot be
   * read, are left out. Default: {@link findById} for each.
   */
  async findAll(ids: readonly string[], scope: OwnerScope): Promise<readonly Subscriber[]> {
    const found = await Promise.all(ids.map((id) => this.findById(id, scope).catch(() => null)));
    return found.filter((one) => one !== null);
  }

  /**
   * Finds the recipient of a delivery that is tried again; null when the subscriber is removed or not active. The
   * library calls this for each retry, so an implementation that keeps subscribers in memory should answer from memory;
   * the answer may be as stale as an answer of {@link match}. When the end of a subscriber seems to have passed, the
   * implementation reads the subscriber again, since another process may have renewed it. Default: {@link findById}.
   */
  async findActive(id: string): Promise<Subscriber | null> {
    const subscriber = await this.findById(id, 'any');
    return subscriber !== null && isActive(subscriber) ? subscriber : null;
  }

  /**
   * Changes only the named fields, so that two concurrent updates of different fields both take effect.
   *
   * @returns the whole subscriber after the change, or null when there is none of that id within `scope`
   * @throws {@link LimitReachedError}, and what `terms.check` throws; nothing is changed then
   */
  abstract update(
    id: string,
    changes: SubscriberChanges & { readonly updatedAt: Date },
    scope: OwnerScope,
    terms?: UpdateTerms,
  ): Promise<Subscriber | null>;

  /**
   * Disables a subscriber. Of two concurrent calls, in one process or in two, only one returns true: the caller that
   * gets true notifies the owner. Default: an update that checks that the subscriber is enabled.
   *
   * @param figures of the failures, for the audit
   * @returns true when this call disabled the subscriber
   */
  async disable(id: string, updatedAt: Date, figures?: FailureFigures): Promise<boolean> {
    void figures;
    const already = new Error('It is disabled already');
    const check = ({ enabled }: Subscriber) => {
      if (!enabled) throw already;
    };
    try {
      return (await this.update(id, { enabled: false, updatedAt }, 'any', { check })) !== null;
    } catch (error) {
      if (error === already) return false;
      throw error;
    }
  }

  /**
   * Returns subscribers whose end has passed, and notes that the event `subscriber-expired` is sent for them. Of
   * concurrent calls, in one process or in two, only one returns a subscriber, and no later call returns it again
   * unless it was renewed. Default: returns no subscribers.
   *
   * @param now milliseconds since the Unix epoch
   * @param limit subscribers at most; with fewer, there are no more
   */
  async markExpired(now: number, limit: number): Promise<readonly Subscriber[]> {
    void [now, limit];
    return [];
  }

  /**
   * Removes subscribers that {@link markExpired} has returned before a time and that were not renewed since. Default:
   * removes no subscribers.
   *
   * @param before milliseconds since the Unix epoch
   * @param limit subscribers at most
   * @returns the number of subscribers that were found; fewer than `limit` means that there are no more
   */
  async removeExpired(before: number, limit: number): Promise<number> {
    void [before, limit];
    return 0;
  }

  /**
   * Replaces the secrets by the result of `change`, which gets the stored secrets, in one step. When two calls run at
   * the same time, in one process or in two, the second call gets the result of the first call, so that no secret is
   * lost.
   *
   * @param change gets the stored secrets and the whole subscriber. It is called again when another write came in
   * between. An error that it throws is passed on, and nothing is changed
   * @param by who changes them, for the audit. Default `application`
   * @returns the whole subscriber as this call has left it, or null when there is none of that id within `scope`
   */
  abstract changeSecrets(
    id: string,
    change: (secrets: readonly Secret[], current: Subscriber) => readonly Secret[],
    updatedAt: Date,
    scope: OwnerScope,
    by?: string,
  ): Promise<Subscriber | null>;

  /**
   * Removes a subscriber.
   *
   * @param check called with the subscriber as it is stored, like `check` of {@link UpdateTerms}. An error that it
   * throws is passed on, and nothing is removed
   * @param by who removes it, for the audit. Default `application`
   * @returns false when `scope` does not contain the id; the subscriber no longer matches once the promise resolves
   */
  abstract delete(
    id: string,
    scope: OwnerScope,
    check?: (current: Subscriber) => void,
    by?: string,
  ): Promise<boolean>;

  /**
   * @param page.limit rows at most
   * @param page.after the `next` of the page before
   * @param page.search a text that the URL or the description must hold. The case of the letters A to Z does not
   * matter; for other letters that depends on the database. A search may end a page early: pass `next` to search on
   */
  abstract list(scope: OwnerScope, page: SubscriberListQuery): Promise<SubscriberPage>;

  /** Finds the ids of all subscribers within `scope`, for the delivery log. Default: from {@link list}, page by page. */
  async findIds(scope: OwnerScope): Promise<readonly string[]> {
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const page: SubscriberPage = await this.list(scope, { limit: 1000, after });
      ids.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    return ids;
  }

  /**
   * The time from which all processes use the present version of a subscriber. An attempt that began earlier may have
   * gone to another URL, or may have been signed with other secrets. Default: its latest change.
   *
   * @param subscriber as this repository has returned it
   * @returns milliseconds since the Unix epoch
   */
  async sentAsIsSince({ updatedAt }: Subscriber): Promise<number> {
    return updatedAt.getTime();
  }

  /**
   * Counts disabled subscribers for gauges and the page. Called whenever metrics are collected, so it must be cheap.
   * Default: null for unknown.
   *
   * @param scope whose subscribers are counted; default: the subscribers of all owners
   */
  async countDisabled(scope: OwnerScope = 'any'): Promise<number | null> {
    void scope;
    return null;
  }

  /**
   * Seals the stored secrets of one page of subscribers with the first key, where another key or none has sealed them,
   * and drops secrets that have expired. Writes that other callers make meanwhile are kept. Default: seals nothing, for
   * implementations that store no sealed secrets.
   *
   * @param page.limit subscribers at most
   * @param page.after the `next` of the page before
   * @param page.now the time by which secrets have expired, in milliseconds since the Unix epoch
   * @param page.dryRun true: only counts
   */
  async reseal(page: {
    readonly limit: number;
    readonly after: string | null;
    readonly now: number;
    readonly dryRun?: boolean;
  }): Promise<ResealedPage> {
    void page;
    return { checked: 0, resealed: 0, unreadable: [], next: null };
  }

  /**
   * Finds the enabled subscribers of a message, each once, even if several of its patterns match. The result contains
   * changes that were made through this instance at once, and changes of other processes within the staleness that the
   * implementation documents.
   */
  abstract match(criteria: MatchCriteria): Promise<readonly Subscriber[]> | readonly Subscriber[];

  /**
   * Reads the changes of other processes, so that {@link match} and {@link isUnheard} know everything that was stored
   * before the call. The worker that makes messages of the rows in `thorn_changes` calls it. Default: does nothing, for
   * implementations that keep nothing in memory.
   */
  async refresh(): Promise<void> {}

  /**
   * Returns true when no subscriber would match, active or not: the library then does not store the message. The answer
   * comes at once and is at most as stale as an answer of {@link match}. Default: false, for implementations that
   * cannot know.
   */
  isUnheard(criteria: MatchCriteria): boolean {
    void criteria;
    return false;
  }
}

/** The number of subscribers that an owner may have. Subscribers without an owner are never limited. */
export interface SubscriberLimits {
  /** In all. */
  readonly perOwner: number;
  /** For one host. */
  readonly perHost: number;
  /** Counts only subscribers whose key begins with this text. Default: all. */
  readonly keyPrefix?: string;
}
