import type { DataSource, EntityMetadata } from 'typeorm';

/** Tells whether a statement empties the entity's table as `clear()` does. */
export function isTableCleared(
  statement: string,
  metadata: EntityMetadata,
  dataSource: DataSource,
): boolean {
  const table = quotedTable(metadata, dataSource);
  if (dataSource.options.type === 'better-sqlite3') return statement === `DELETE FROM ${table}`;
  return (
    statement === `TRUNCATE TABLE ${table}` || statement.startsWith(`TRUNCATE TABLE ${table} `)
  );
}

function quotedTable({ tablePath }: EntityMetadata, { driver }: DataSource): string {
  return tablePath
    .split('.')
    .map((part) => driver.escape(part))
    .join('.');
}
