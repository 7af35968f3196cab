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
