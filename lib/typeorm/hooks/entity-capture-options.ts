import type { MessagePipeline } from '../../dispatch/index.js';
import type { BulkSettings } from '../../event/bulk-settings.js';
import type { MessageFactory } from '../../message/index.js';
import type { SerializeTransactions } from '../../database/sqlite/serialize-transactions.js';

/** Options of the capture of one data source. */
export interface EntityCaptureOptions extends BulkSettings {
  readonly messageFactory: MessageFactory;
  readonly pipeline: MessagePipeline;
  /** Default true. */
  readonly serializeTransactions?: SerializeTransactions | undefined;
}
