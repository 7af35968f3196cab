import { type SqlDataSource, type SqlManager, TypeOrmClient } from '../database/typeorm-client.js';
import { type ClientSource, defineSqlClient, type SqlClientDefinition } from './client-source.js';

/**
 * Stores messages by TypeORM, on every database that is supported. `ThornModule` finds the data source by itself; this
 * names another one.
 *
 * @param dataSource the application's `DataSource`, its injection token such as `getDataSourceToken('main')`, or a factory
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromTypeOrm(getDataSourceToken('main')) });
 * ```
 */
export function fromTypeOrm(
  dataSource: ClientSource<SqlDataSource>,
): SqlClientDefinition<SqlManager> {
  return defineSqlClient('fromTypeOrm()', [dataSource], (source) => new TypeOrmClient(source));
}
