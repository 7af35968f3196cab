import type { DataSource } from 'typeorm';
import type { MessagePipeline } from '../../dispatch/index.js';
import type { BulkSettings } from '../../event/bulk-settings.js';
import type { MessageFactory } from '../../message/index.js';
import type { SerializeTransactions } from '../../database/sqlite/serialize-transactions.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import type { OtherReports } from './change-collector.js';

/** The entities with events in a data source. */
export interface CapturedEntities {
  readonly dataSource: DataSource;
  readonly plans: readonly EntityPlan[];
}

/** Options of the capture of one data source. */
export interface EntityCaptureOptions extends BulkSettings {
  readonly messageFactory: MessageFactory;
  readonly pipeline: MessagePipeline;
  /** Default true. */
  readonly serializeTransactions?: SerializeTransactions | undefined;
  /** Makes what reports changes besides the capture, given the capture. Default: nothing does. */
  readonly otherReports?: ((capture: CapturedEntities) => OtherReports) | undefined;
}
