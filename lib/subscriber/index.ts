export {
  disablesAt,
  healthAfter,
  type HealthOutcome,
  type HealthRules,
  healthRules,
  type HealthState,
  WELL,
} from './model/subscriber-health.js';
export {
  CHANGE_KINDS,
  changeOf,
  type FailureFigures,
  MAX_BY_LENGTH,
  type SubscriberChange,
  type SubscriberChangeKind,
  type SubscriberChangePage,
  WORKER,
} from './model/subscriber-change.js';
export { SubscriberAudit, type UntoldChange } from './model/subscriber-audit.js';
export { InMemorySubscriberRepository } from './storage/in-memory-subscriber.repository.js';
export { checkPattern, MAX_PATTERN_LENGTH, patternMatches } from './matching/pattern.js';
export {
  checkRateLimit,
  CREATION_FIELDS,
  DEFAULT_FIELDS,
  FIELD_LIST,
  FIELD_SCHEMAS,
  type FieldName,
  MAX_OWNER_LENGTH,
  MAX_RATE,
  MAX_URL_LENGTH,
  SECRET_FIELD,
  SHOWN_SCHEMAS,
} from './model/subscriber-fields.js';
export { MAX_OVERLAP, type SecretRotation } from './service/secret-rotation.js';
export { LimitReachedError, SubscribersUnavailableError } from './model/subscriber-errors.js';
export { filterHolds } from './matching/subscriber-filter.js';
export { checkPageLimit, MAX_SEARCH_LENGTH } from './service/subscriber-checks.js';
export {
  type BodyFields,
  type ChangeTerms,
  type CreationTerms,
  SubscriberRules,
} from './service/subscriber-rules.js';
export { ThornSubscriber } from './storage/subscriber-table.js';
export {
  type MatchCriteria,
  type ResealedPage,
  type SubscriberListQuery,
  type SubscriberPage,
  SubscriberRepository,
  type UpdateTerms,
} from './model/subscriber.repository.js';
export {
  checkScope,
  isActive,
  type EndpointAuthChange,
  type NewSubscriber,
  type OwnerScope,
  type Subscriber,
  SUBSCRIBER_STATES,
  type SubscriberChanges,
  type SubscriberState,
  subscriberState,
  type SubscriberUpdate,
  type Verification,
} from './model/subscriber.js';
export { type StoredSubscriber, type SubscriberQuery, Subscribers } from './service/subscribers.js';
export { TableLockedError } from '../database/triggers/captured-tables.js';
export {
  type DatabaseSubscriberOptions,
  DatabaseSubscriberRepository,
} from './storage/database-subscriber.repository.js';
export { type NamedRecipients, StaticSubscriberSet } from './service/static-subscriber-set.js';
export { isStaticId, type StaticSubscriberRules } from './service/static-subscribers.js';
export type { SubscriberLimits } from './model/subscriber.repository.js';
