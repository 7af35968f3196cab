import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { likeWrite, lock } from './matched-rows.js';
import type { WriteBuilder } from './write-builders.js';

/**
 * Reads the rows of a junction table that a query builder is about to delete, by its own condition, and locks them where
 * the database can.
 */
export async function readUnlinked(
  builder: WriteBuilder,
  manager: EntityManager,
  { tableName, columns }: EntityMetadata,
  limit: number,
): Promise<ObjectLiteral[]> {
  const query = manager.createQueryBuilder<ObjectLiteral>(tableName, tableName).select([]);
  const dataSource = dataSourceOf(manager);
  columns.forEach(({ databaseName }, index) => {
    const path = [tableName, databaseName].map((name) => dataSource.driver.escape(name));
    query.addSelect(path.join('.'), `key${index}`);
  });
  likeWrite(query, builder);
  lock(query.limit(limit), dataSource, false);
  // TypeORM makes no objects of such rows.
  const found = await query.getRawMany<ObjectLiteral>();
  return found.map((raw) => {
    const link: ObjectLiteral = {};
    columns.forEach((column, index) => column.setEntityValue(link, raw[`key${index}`]));
    return link;
  });
}
