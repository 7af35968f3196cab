import {
  IDEMPOTENCY_KEYS,
  OUTBOX_TABLES,
  PORTAL_LINKS,
  SUBSCRIBERS,
} from '../database/schema/thorn-tables.js';
import { ThornIdempotencyKey } from '../idempotency/index.js';
import {
  ThornAttempt,
  ThornBulkOperation,
  ThornDelivery,
  ThornHealth,
  ThornMessage,
  ThornPause,
  ThornPendingMessage,
  ThornRateLimit,
  ThornSequence,
} from '../outbox/index.js';
import { ThornPortalLink } from '../portal/index.js';
import { ThornSubscriber } from '../subscriber/index.js';
import { mapEntity } from '../typeorm/index.js';
import { CreateThornChangeFeed1767312000003 } from './create-thorn-change-feed.js';
import { CreateThornTables1767312000000 } from './create-thorn-tables.js';

/** The entities of the durable strategy. */
export const outboxEntities = [
  mapEntity(ThornMessage, OUTBOX_TABLES.messages),
  mapEntity(ThornPendingMessage, OUTBOX_TABLES.pendingMessages),
  mapEntity(ThornDelivery, OUTBOX_TABLES.deliveries),
  mapEntity(ThornAttempt, OUTBOX_TABLES.attempts),
  mapEntity(ThornHealth, OUTBOX_TABLES.health),
  mapEntity(ThornRateLimit, OUTBOX_TABLES.rateLimits),
  mapEntity(ThornSequence, OUTBOX_TABLES.sequences),
  mapEntity(ThornBulkOperation, OUTBOX_TABLES.bulkOperations),
  mapEntity(ThornPause, OUTBOX_TABLES.pauses),
];

/** Every entity of the library, for a data source without `autoLoadEntities`. */
export const thornEntities = [
  mapEntity(ThornSubscriber, SUBSCRIBERS),
  mapEntity(ThornIdempotencyKey, IDEMPOTENCY_KEYS),
  mapEntity(ThornPortalLink, PORTAL_LINKS),
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
export const thornMigrations = [CreateThornTables1767312000000];

/** The migrations of the change feed, which is optional and on PostgreSQL alone; see {@link createChangeTrigger}. */
export const thornChangeFeedMigrations = [CreateThornChangeFeed1767312000003];
