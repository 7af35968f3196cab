import type { DataSource, EntityMetadata } from 'typeorm';
import { escapePath } from '../../common/typeorm-compat.js';

/** Tells whether a statement empties the entity's table as `clear()` does. */
export function isTableCleared(
  statement: string,
  metadata: EntityMetadata,
  dataSource: DataSource,
): boolean {
  const table = escapePath(dataSource, metadata.tablePath);
  if (dataSource.options.type === 'better-sqlite3') return statement === `DELETE FROM ${table}`;
  return (
    statement === `TRUNCATE TABLE ${table}` || statement.startsWith(`TRUNCATE TABLE ${table} `)
  );
}
