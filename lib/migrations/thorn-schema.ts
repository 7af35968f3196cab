import { ThornIdempotencyKey } from '../idempotency/index.js';
import { outboxEntities } from '../outbox/index.js';
import { ThornPortalLink } from '../portal/index.js';
import { ThornSubscriber } from '../subscriber/index.js';
import { CreateThornChangeFeed1767312000003 } from './create-thorn-change-feed.js';
import { CreateThornOutbox1767312000000 } from './create-thorn-outbox.js';
import { CreateThornIdempotencyKeys1767225600001 } from './create-thorn-idempotency-keys.js';
import { CreateThornPauses1767312000001 } from './create-thorn-pauses.js';
import { CreateThornPortalLinks1767312000004 } from './create-thorn-portal-links.js';
import { CreateThornRateLimits1767312000002 } from './create-thorn-rate-limits.js';
import { CreateThornSubscribers1767225600000 } from './create-thorn-subscribers.js';

/** Every entity of the library, for a data source without `autoLoadEntities`. */
export const thornEntities = [
  ThornSubscriber,
  ThornIdempotencyKey,
  ThornPortalLink,
  ...outboxEntities,
];

/**
 * Every migration of the library, oldest first, for TypeORM's own runner.
 *
 * @example
 * ```ts
 * new DataSource({ …, entities: [Article, ...thornEntities], migrations: [...mine, ...thornMigrations] });
 * ```
 */
export const thornMigrations = [
  CreateThornSubscribers1767225600000,
  CreateThornIdempotencyKeys1767225600001,
  CreateThornOutbox1767312000000,
  CreateThornPauses1767312000001,
  CreateThornRateLimits1767312000002,
  CreateThornPortalLinks1767312000004,
];

/** The migrations of the change feed, which is optional and on PostgreSQL alone; see {@link createChangeTrigger}. */
export const thornChangeFeedMigrations = [CreateThornChangeFeed1767312000003];
