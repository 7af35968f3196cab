import { createHash } from 'node:crypto';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { databaseOf, SchemaSql } from '../../database/schema/schema-sql.js';
import { TableRows } from '../../database/table-rows.js';
import { clientOf, type SqlManager } from '../../database/typeorm-client.js';

/**
 * Computes the key of a row. A hash, because ids have no length limit and databases compare texts in ways of their own: under
 * some collations `a` and `A` are the same message.
 */
export function hashOf(purpose: 'claim' | 'once' | 'order', receiver: string, id: string): string {
  return createHash('sha256')
    .update(JSON.stringify([purpose, receiver, id]))
    .digest('hex');
}

/** The part of TypeORM's `QueryRunner` that migrations use. */
export interface SchemaRunner {
  readonly dataSource: SchemaSource;
  query(sql: string): Promise<unknown>;
}

interface SchemaSource {
  readonly options: { readonly type: string; readonly entityPrefix?: string };
}

/**
 * The SQL of the tables of receivers, with the data source's `entityPrefix`.
 *
 * @throws `ThornConfigurationError` for a database that is not supported
 */
export function schemaOf(owner: { readonly dataSource: SchemaSource }): SchemaSql {
  const { type, entityPrefix: prefix } = dataSourceOf(owner).options;
  return new SchemaSql(databaseOf(type), { prefix });
}

/**
 * The rows of a table of receivers: in the transaction of the manager, when it is in one.
 *
 * @throws `ThornConfigurationError` for a database that is not supported
 */
export function rowsOf<Row extends { readonly [Column in keyof Row]: unknown }>(
  manager: SqlManager,
  table: string,
): TableRows<Row> {
  const client = clientOf(manager);
  return new TableRows(client.within(manager), schemaOf(manager).path(table));
}
