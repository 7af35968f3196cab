import type { MessagePipeline } from '../../dispatch/index.js';
import type { BulkSettings } from '../../event/bulk-settings.js';
import type { MessageFactory } from '../../message/index.js';
import type { SerializeTransactions } from '../../sqlite/index.js';
import type { OtherReports } from './change-collector.js';

/** Options of the capture of one data source. */
export interface EntityCaptureOptions extends BulkSettings {
  readonly messageFactory: MessageFactory;
  readonly pipeline: MessagePipeline;
  /** Default true. */
  readonly serializeTransactions?: SerializeTransactions | undefined;
  /** What reports changes besides the capture. Default: nothing. */
  readonly otherReports?: OtherReports | undefined;
}
