export {
  checkPattern,
  MAX_PATTERN_LENGTH,
  MAX_PATTERN_SEGMENTS,
  patternMatches,
} from './pattern.js';
export type { SubscriberRules } from './subscriber-rules.js';
export {
  type MatchCriteria,
  type SubscriberPage,
  SubscriberRepository,
} from './subscriber.repository.js';
export type {
  NewSubscriber,
  OwnerScope,
  Subscriber,
  SubscriberChanges,
  SubscriberUpdate,
} from './subscriber.js';
export { MAX_PAGE_LIMIT, Subscribers } from './subscribers.js';
