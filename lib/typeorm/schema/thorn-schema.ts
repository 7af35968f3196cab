import {
  IDEMPOTENCY_KEYS,
  OUTBOX_TABLES,
  PORTAL_LINKS,
  SUBSCRIBERS,
} from '../../database/schema/thorn-tables.js';
import { ThornAttempt, ThornDelivery, ThornMessage } from '../../outbox/index.js';
import { ThornSubscriber } from '../../subscriber/index.js';
import { makeEntity, mapEntity } from './map-entity.js';
import { CreateThornTables1767312000000 } from './create-thorn-tables.js';

const { messages, deliveries, attempts, ...state } = OUTBOX_TABLES;

/** The entities of the durable strategy. */
export const outboxEntities = [
  mapEntity(ThornMessage, messages),
  mapEntity(ThornDelivery, deliveries),
  mapEntity(ThornAttempt, attempts),
  ...Object.values(state).map(makeEntity),
];

/** Every entity of the library, for a data source without `autoLoadEntities`. */
export const thornEntities = [
  mapEntity(ThornSubscriber, SUBSCRIBERS),
  makeEntity(IDEMPOTENCY_KEYS),
  makeEntity(PORTAL_LINKS),
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
