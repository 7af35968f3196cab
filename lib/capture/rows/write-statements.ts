import type { DataSource, EntityMetadata } from 'typeorm';

/** Tells whether an INSERT may update existing rows or skip some, so that its rows cannot be taken for new ones. */
export function mayUpdateOrSkip(statement: string): boolean {
  return (
    statement.includes(' ON CONFLICT ') ||
    statement.includes(' ON DUPLICATE KEY UPDATE ') ||
    statement.includes('INSERT OR ') ||
    // TypeORM writes two blanks.
    /INSERT +IGNORE /.test(statement)
  );
}

/** Tells whether an INSERT goes into the entity's table. */
export function tableInserted(
  statement: string,
  metadata: EntityMetadata,
  dataSource: DataSource,
): boolean {
  return statement.includes(`INTO ${quotedTable(metadata, dataSource)}`);
}

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
