import { type SqlDataSource, type SqlManager, TypeOrmClient } from '../database/typeorm-client.js';
import { type ClientSource, defineSqlClient, type SqlClientDefinition } from './client-source.js';

/**
 * Stores messages by TypeORM, on every database that is supported. For tests of clients and `ensureSchema()`: `ThornModule`
 * finds the data source by itself, and captures its entities.
 *
 * @param dataSource the application's `DataSource`, its injection token such as `getDataSourceToken('main')`, or a factory
 *
 * @example
 * ```ts
 * await ensureSchema(fromTypeOrm(dataSource));
 * ```
 */
export function fromTypeOrm(
  dataSource: ClientSource<SqlDataSource>,
): SqlClientDefinition<SqlManager> {
  return defineSqlClient('fromTypeOrm()', [dataSource], (source) => new TypeOrmClient(source));
}
