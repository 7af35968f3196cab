import type { DataSource, EntityTarget, ObjectLiteral } from 'typeorm';
import { escapePath } from '../../common/typeorm-compat.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { ThornAttempt } from './attempt.entity.js';
import { ThornBulkOperation } from './bulk-operation.entity.js';
import { ThornDelivery } from './delivery.entity.js';
import { outboxEntities } from './outbox-entities.js';
import { ThornHealth } from './health.entity.js';
import { ThornRateLimit } from './rate-limit.entity.js';
import { ThornMessage } from './message.entity.js';
import { ThornSequence } from './sequence.entity.js';
import { ThornPendingMessage } from './pending-message.entity.js';

/** The quoted names of the strategy's tables, schema and prefix of the data source included. */
export interface TableNames {
  readonly messages: string;
  readonly pendingMessages: string;
  readonly deliveries: string;
  readonly attempts: string;
  readonly health: string;
  readonly rateLimits: string;
  readonly sequences: string;
  readonly bulkOperations: string;
}

/** @throws {@link ThornConfigurationError} when the data source does not know the entities */
export function tableNames(dataSource: DataSource): TableNames {
  const nameOf = (entity: EntityTarget<ObjectLiteral>) =>
    escapePath(dataSource, dataSource.getMetadata(entity).tablePath);
  if (!outboxEntities.every((one) => dataSource.hasMetadata(one))) {
    throw new ThornConfigurationError(
      'THORN_ENTITIES_MISSING',
      'outbox() needs its entities in every captured data source. Set autoLoadEntities: true, or add thornEntities to its entities.',
    );
  }
  return {
    messages: nameOf(ThornMessage),
    pendingMessages: nameOf(ThornPendingMessage),
    deliveries: nameOf(ThornDelivery),
    attempts: nameOf(ThornAttempt),
    health: nameOf(ThornHealth),
    rateLimits: nameOf(ThornRateLimit),
    sequences: nameOf(ThornSequence),
    bulkOperations: nameOf(ThornBulkOperation),
  };
}
