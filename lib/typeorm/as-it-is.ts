import type { ObjectLiteral, QueryBuilder } from 'typeorm';
import { dataSourceOf } from '../common/typeorm-compat.js';

// MariaDB refuses to lock or to change what another transaction has changed since this one began to read. Its default since
// 11.6.2; other databases take this for a comment, or are not asked.
const AS_IT_IS = '/*M!110602 SET STATEMENT innodb_snapshot_isolation=OFF FOR */ ';

/** Lets the statement of a query builder hit rows as they are on MariaDB, for the time of `execute`. */
export async function asItIs<Result>(
  builder: QueryBuilder<ObjectLiteral>,
  execute: () => Promise<Result>,
): Promise<Result> {
  const { type } = dataSourceOf(builder).options;
  if (type !== 'mysql' && type !== 'mariadb') return execute();
  const getQuery = builder.getQuery.bind(builder);
  builder.getQuery = () => `${AS_IT_IS}${getQuery()}`;
  try {
    return await execute();
  } finally {
    Reflect.deleteProperty(builder, 'getQuery');
  }
}
