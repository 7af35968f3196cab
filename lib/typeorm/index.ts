/**
 * The tables of the library in a TypeORM data source: their entities, their migrations and those of the change feed.
 *
 * @module nestjs-thorn/typeorm
 */
import './required-packages.js';

export { ThornAttempt, ThornDelivery, ThornMessage } from '../outbox/index.js';
export { ThornSubscriber } from '../subscriber/index.js';
export {
  type ChangeTrigger,
  createChangeTrigger,
  dropChangeTrigger,
} from './schema/create-thorn-change-feed.js';
export {
  thornChangeFeedMigrations,
  thornEntities,
  thornMigrations,
} from './schema/thorn-schema.js';
