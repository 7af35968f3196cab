export {
  healthAfter,
  type HealthOutcome,
  type HealthRules,
  healthRules,
  type HealthState,
  WELL,
} from './health.js';
export { InMemorySubscriberRepository } from './in-memory-subscriber.repository.js';
export { MAX_PATTERN_LENGTH, patternMatches } from './pattern.js';
export { checkRateLimit, MAX_RATE, MAX_RATE_PER, MIN_RATE_PER } from './rate-limit.js';
export type { SecretRotation } from './secret-rotation.js';
export { LimitReachedError } from './limit-reached.error.js';
export { filterHolds, MAX_FILTER_LENGTH } from './subscriber-filter.js';
export type { SubscriberLimits } from './subscriber-places.js';
export {
  MAX_DESCRIPTION_LENGTH,
  MAX_METADATA_ENTRIES,
  MAX_METADATA_VALUE_LENGTH,
  MAX_PATTERNS,
  MAX_URL_LENGTH,
} from './subscriber-input.js';
export type { SubscriberRules } from './subscriber-rules.js';
export { ThornSubscriber } from './subscriber.entity.js';
export {
  type MatchCriteria,
  type ResealedPage,
  type SubscriberPage,
  SubscriberRepository,
  type UpdateTerms,
} from './subscriber.repository.js';
export {
  isActive,
  type NewSubscriber,
  type OwnerScope,
  type Subscriber,
  type SubscriberChanges,
  type SubscriberUpdate,
  type Verification,
} from './subscriber.js';
export type { ChangeTerms, CreationTerms } from './subscriber-terms.js';
export { Subscribers } from './subscribers.js';
export { SubscribersUnavailableError } from './subscribers-unavailable.error.js';
export {
  type TypeOrmSubscriberOptions,
  TypeOrmSubscriberRepository,
} from './typeorm-subscriber.repository.js';
export { StaticSubscriberSet } from './static-subscriber-set.js';
export type { StaticSubscriberRules } from './static-subscribers.js';
