export {
  healthAfter,
  type HealthOutcome,
  type HealthRules,
  healthRules,
  type HealthState,
  WELL,
} from './model/subscriber-health.js';
export { InMemorySubscriberRepository } from './storage/in-memory-subscriber.repository.js';
export { checkPattern, MAX_PATTERN_LENGTH, patternMatches } from './matching/pattern.js';
export { EXHAUSTED_ACTIONS, MAX_HOLD_FOR } from './model/order-check.js';
export { checkRateLimit, MAX_RATE, MAX_RATE_PER, MIN_RATE_PER } from './model/rate-limit-check.js';
export { MAX_OVERLAP, type SecretRotation } from './service/secret-rotation.js';
export { LimitReachedError } from './model/limit-reached.error.js';
export { filterHolds, MAX_FILTER_LENGTH } from './matching/subscriber-filter.js';
export {
  MAX_DESCRIPTION_LENGTH,
  MAX_KEY_LENGTH,
  MAX_METADATA_ENTRIES,
  checkPageLimit,
  MAX_METADATA_KEY_LENGTH,
  MAX_METADATA_VALUE_LENGTH,
  MAX_OWNER_LENGTH,
  MAX_PATTERNS,
  MAX_SEARCH_LENGTH,
  MAX_URL_LENGTH,
} from './service/subscriber-checks.js';
export {
  type ChangeTerms,
  type CreationTerms,
  SubscriberRules,
} from './service/subscriber-rules.js';
export { ThornSubscriber } from './storage/subscriber.entity.js';
export {
  type MatchCriteria,
  type ResealedPage,
  type SubscriberListQuery,
  type SubscriberPage,
  SubscriberRepository,
  type UpdateTerms,
} from './model/subscriber.repository.js';
export {
  isActive,
  type NewSubscriber,
  type OwnerScope,
  type Subscriber,
  type SubscriberChanges,
  type SubscriberUpdate,
  type Verification,
} from './model/subscriber.js';
export { type StoredSubscriber, type SubscriberQuery, Subscribers } from './service/subscribers.js';
export { TableLockedError } from '../database/triggers/captured-tables.js';
export { SubscribersUnavailableError } from './storage/subscribers-unavailable.error.js';
export {
  type DatabaseSubscriberOptions,
  DatabaseSubscriberRepository,
} from './storage/database-subscriber.repository.js';
export { type NamedRecipients, StaticSubscriberSet } from './static/static-subscriber-set.js';
export { isStaticId, type StaticSubscriberRules } from './static/static-subscribers.js';
export type { SubscriberLimits } from './model/subscriber.repository.js';
export {
  SUBSCRIBER_STATES,
  type SubscriberState,
  subscriberState,
} from './model/subscriber-state.js';
export { checkScope } from './model/owner-scope.js';
