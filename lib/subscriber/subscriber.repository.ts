import type { Audience } from '../message/message.js';
import type { OwnerScope, Subscriber, SubscriberChanges } from './subscriber.js';

/** One page of a list that is ordered by id, oldest first. */
export interface SubscriberPage {
  readonly items: readonly Subscriber[];
  /** Pass it as `after` to read on; null on the last page. */
  readonly next: string | null;
}

/** The part of a message that decides who receives it. */
export interface MatchCriteria {
  readonly event: string;
  readonly sender: string | null;
  readonly audience: Audience;
}

/**
 * Where subscribers are kept and how those of an event are found.
 *
 * Pluggable: this class is the injection token; the default keeps them in the table `thorn_subscribers`. Give another
 * with `ThornModule.forRoot({ subscribers: MyRepository })`. Any implementation must pass the conformance suite
 * `subscriberRepositoryConformance`.
 *
 * Implementations store what they are given: URL, patterns and secret are checked by {@link Subscribers}, which is what
 * applications and the REST API call.
 */
export abstract class SubscriberRepository {
  /** Stores a new subscriber; it matches from the moment the promise resolves. */
  abstract create(subscriber: Subscriber): Promise<Subscriber>;

  /** The subscriber, or null when there is none of that id within `scope`. */
  abstract findById(id: string, scope: OwnerScope): Promise<Subscriber | null>;

  /**
   * Changes the named fields alone, so that two updates of different fields both last.
   *
   * @returns the whole subscriber after the change, or null when there is none of that id within `scope`
   */
  abstract update(
    id: string,
    changes: SubscriberChanges & { readonly updatedAt: Date },
    scope: OwnerScope,
  ): Promise<Subscriber | null>;

  /** @returns whether there was one of that id within `scope`; it no longer matches once the promise resolves */
  abstract delete(id: string, scope: OwnerScope): Promise<boolean>;

  /**
   * @param page.limit rows at most
   * @param page.after the `next` of the page before
   */
  abstract list(
    scope: OwnerScope,
    page: { readonly limit: number; readonly after?: string | null },
  ): Promise<SubscriberPage>;

  /**
   * The enabled subscribers that a message goes to, each once, whatever number of its patterns match. Changes made
   * through this instance are seen at once; those of other processes within the implementation's documented staleness.
   */
  abstract match(criteria: MatchCriteria): Promise<readonly Subscriber[]> | readonly Subscriber[];
}
