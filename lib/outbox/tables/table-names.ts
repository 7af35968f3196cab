import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import type { RowOf } from '../../database/schema/table-definition.js';
import type { Dialect } from '../../database/dialect.js';
import type { SqlTables } from '../../database/sql-client.js';

/** The quoted names of the strategy's tables, schema and prefix of the data source included. */
export type TableNames = Readonly<Record<keyof typeof OUTBOX_TABLES, string>>;

/** @throws `ThornConfigurationError` when the data source does not know the entities */
export function tableNames(store: SqlTables): TableNames {
  const names = Object.entries(OUTBOX_TABLES).map(([key, { name }]) => [key, store.table(name)]);
  return Object.fromEntries(names) as TableNames;
}

/** A row of `thorn_messages` as drivers answer it. */
export type MessageRow = RowOf<typeof OUTBOX_TABLES.messages>;

/** A row of `thorn_deliveries` as drivers answer it. */
export type DeliveryRow = RowOf<typeof OUTBOX_TABLES.deliveries>;

/** What a statement is written for: the syntax of the database, and the names of the tables. */
export interface Target {
  readonly dialect: Dialect;
  readonly tables: TableNames;
}
