import type { EntityMetadata } from 'typeorm';
import { dataSourceOf } from '../common/typeorm-compat.js';

/**
 * How many statements TypeORM runs to insert rows of an entity: without RETURNING, it reads what the database has filled in by
 * another one.
 */
export function statementsOfInsert(metadata: EntityMetadata): 1 | 2 {
  const { driver } = dataSourceOf(metadata);
  if (driver.isReturningSqlSupported('insert')) return 1;
  return metadata.getInsertionReturningColumns().every(({ isGenerated }) => isGenerated) ? 1 : 2;
}
