export {
  healthAfter,
  type HealthOutcome,
  type HealthRules,
  healthRules,
  type HealthState,
  WELL,
} from './health.js';
export { InMemorySubscriberRepository } from './in-memory-subscriber.repository.js';
export {
  checkPattern,
  MAX_PATTERN_LENGTH,
  MAX_PATTERN_SEGMENTS,
  patternMatches,
} from './pattern.js';
export { MAX_LIVE_SECRETS, MAX_OVERLAP, type SecretRotation } from './secret-rotation.js';
export { SubscriberIndex } from './subscriber-index.js';
export {
  MAX_DESCRIPTION_LENGTH,
  MAX_METADATA_ENTRIES,
  MAX_METADATA_KEY_LENGTH,
  MAX_METADATA_VALUE_LENGTH,
  MAX_OWNER_LENGTH,
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
} from './subscriber.repository.js';
export type {
  NewSubscriber,
  OwnerScope,
  Subscriber,
  SubscriberChanges,
  SubscriberUpdate,
} from './subscriber.js';
export {
  MAX_PAGE_LIMIT,
  type ResealOptions,
  type ResealSummary,
  Subscribers,
} from './subscribers.js';
export { SubscribersUnavailableError } from './subscribers-unavailable.error.js';
export {
  type TypeOrmSubscriberOptions,
  TypeOrmSubscriberRepository,
} from './typeorm-subscriber.repository.js';
export { StaticSubscriberSet } from './static-subscriber-set.js';
export type { StaticSubscriberRules } from './static-subscribers.js';
