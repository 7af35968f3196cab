/**
 * The tables of the library in a TypeORM data source: their entities and their migrations.
 *
 * @module nestjs-thorn/typeorm
 */
import './required-packages.js';

export { ThornAttempt, ThornDelivery, ThornMessage } from '../outbox/index.js';
export { ThornSubscriber } from '../subscriber/index.js';
export type { TriggerTable } from '../database/triggers/reported-table.js';
export { createTableTriggers, dropTableTriggers } from './schema/table-triggers.js';
export { thornEntities, thornMigrations } from './schema/thorn-schema.js';
