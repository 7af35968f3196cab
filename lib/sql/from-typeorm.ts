import type { SqlClientDefinition } from '../database/sql-client.js';
import { type SqlDataSource, type SqlManager, TypeOrmClient } from '../database/typeorm-client.js';
import { type ClientSource, defineSqlClient } from './client-source.js';

/**
 * Works in transactions of TypeORM, on every supported database. Use it for `ThornReceiverModule`, `ensureSchema()` and
 * tests of clients. `ThornModule` does not need it: it finds the data source by itself, and captures its entities.
 *
 * @param dataSource the application's `DataSource`, its injection token such as `getDataSourceToken('main')`, or a factory
 *
 * @example
 * ```ts
 * ThornReceiverModule.forRoot({ receivers, database: fromTypeOrm(DataSource) });
 * ```
 */
export function fromTypeOrm(
  dataSource: ClientSource<SqlDataSource>,
): SqlClientDefinition<SqlManager> {
  return defineSqlClient('fromTypeOrm()', [dataSource], (source) => new TypeOrmClient(source));
}
