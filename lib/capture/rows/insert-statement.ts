import type { DataSource, EntityMetadata } from 'typeorm';

/** Whether an INSERT may update existing rows or skip some, so that its rows cannot be taken for new ones. */
export function mayUpdateOrSkip(statement: string): boolean {
  return (
    statement.includes(' ON CONFLICT ') ||
    statement.includes(' ON DUPLICATE KEY UPDATE ') ||
    statement.includes('INSERT OR ') ||
    // TypeORM writes two blanks.
    /INSERT +IGNORE /.test(statement)
  );
}

/** Whether an INSERT goes into the entity's table. */
export function tableInserted(
  statement: string,
  { tablePath }: EntityMetadata,
  { driver }: DataSource,
): boolean {
  const table = tablePath
    .split('.')
    .map((part) => driver.escape(part))
    .join('.');
  return statement.includes(`INTO ${table}`);
}
