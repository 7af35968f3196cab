import type { SqlStore } from '../../database/sql-client.js';

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
  readonly pauses: string;
}

/** @throws `ThornConfigurationError` when the data source does not know the entities */
export function tableNames(store: SqlStore): TableNames {
  return {
    messages: store.table('thorn_messages'),
    pendingMessages: store.table('thorn_pending_messages'),
    deliveries: store.table('thorn_deliveries'),
    attempts: store.table('thorn_attempts'),
    health: store.table('thorn_health'),
    rateLimits: store.table('thorn_rate_limits'),
    sequences: store.table('thorn_sequences'),
    bulkOperations: store.table('thorn_bulk_operations'),
    pauses: store.table('thorn_pauses'),
  };
}
