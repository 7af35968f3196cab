export {
  type ChangeTrigger,
  createChangeTrigger,
  CreateThornChangeFeed1767312000003,
  dropChangeTrigger,
} from './create-thorn-change-feed.js';
export { CreateThornIdempotencyKeys1767225600001 } from './create-thorn-idempotency-keys.js';
export { CreateThornOutbox1767312000000 } from './create-thorn-outbox.js';
export { CreateThornPauses1767312000001 } from './create-thorn-pauses.js';
export { CreateThornPortalLinks1767312000004 } from './create-thorn-portal-links.js';
export { CreateThornRateLimits1767312000002 } from './create-thorn-rate-limits.js';
export { CreateThornSubscribers1767225600000 } from './create-thorn-subscribers.js';
export { thornChangeFeedMigrations, thornEntities, thornMigrations } from './thorn-schema.js';
export { SchemaCheck } from './schema-check.js';
