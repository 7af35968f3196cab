import type { SubscriberLimits } from './subscriber-places.js';
import type { UpdateTerms } from './subscriber.repository.js';

/** On what terms a subscriber is created; the REST API's. */
export interface CreationTerms {
  /** How many its owner may have afterwards. Default: any number. */
  readonly limits?: SubscriberLimits;
  /** True: it receives nothing until {@link Subscribers.verify}. Default false. */
  readonly isChallenged?: boolean;
}

/** On what terms a subscriber is changed; the REST API's. */
export interface ChangeTerms extends UpdateTerms {
  /** True: at another URL it receives nothing until {@link Subscribers.verify}. Default false. */
  readonly isChallenged?: boolean;
}

/** Options of {@link Subscribers.resealAll}. */
export interface ResealOptions {
  /** Subscribers that are read at once: 1 to 1,000, default 500. */
  readonly batch?: number;
}

/** What {@link Subscribers.resealAll} did. */
export interface ResealSummary {
  /** How many subscribers were looked at. */
  readonly checked: number;
  /** How many were written anew; the others were sealed with the first key already. */
  readonly resealed: number;
  /** Ids of those whose secrets do not open: keep the keys until there are none. */
  readonly unreadable: readonly string[];
}
