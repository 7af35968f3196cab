import { ThornAttempt } from './attempt.entity.js';
import { ThornBulkOperation } from './bulk-operation.entity.js';
import { ThornDelivery } from './delivery.entity.js';
import { ThornHealth } from './health.entity.js';
import { ThornMessage } from './message.entity.js';
import { ThornPause } from './pause.entity.js';
import { ThornPendingMessage } from './pending-message.entity.js';
import { ThornRateLimit } from './rate-limit.entity.js';
import { ThornSequence } from './sequence.entity.js';

/** The entities of the durable strategy, for a data source without `autoLoadEntities`. */
export const outboxEntities = [
  ThornMessage,
  ThornPendingMessage,
  ThornDelivery,
  ThornAttempt,
  ThornHealth,
  ThornRateLimit,
  ThornSequence,
  ThornBulkOperation,
  ThornPause,
];
