import type { SqlClient } from '../../database/sql-client.js';

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
export function tableNames(client: SqlClient<never>): TableNames {
  return {
    messages: client.table('thorn_messages'),
    pendingMessages: client.table('thorn_pending_messages'),
    deliveries: client.table('thorn_deliveries'),
    attempts: client.table('thorn_attempts'),
    health: client.table('thorn_health'),
    rateLimits: client.table('thorn_rate_limits'),
    sequences: client.table('thorn_sequences'),
    bulkOperations: client.table('thorn_bulk_operations'),
    pauses: client.table('thorn_pauses'),
  };
}
