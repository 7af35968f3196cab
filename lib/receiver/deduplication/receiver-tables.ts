import { createHash } from 'node:crypto';
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

/** The name of a table of receivers, with the data source's `entityPrefix`. */
export function tableName(
  { options }: { readonly options: { readonly entityPrefix?: string } },
  table: string,
): string {
  return (options.entityPrefix ?? '') + table;
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
  return new TableRows(client.within(manager), tableName(client.dataSource, table));
}
