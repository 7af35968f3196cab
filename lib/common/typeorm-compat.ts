/**
 * The engine options of the library's tables on MySQL and MariaDB; other databases ignore them. The default collations
 * ignore case, but ids and tokens are case-sensitive.
 */
export const MYSQL_ENGINE = 'InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin';

/** The data source of a manager or a query runner. TypeORM 0.3 knows it as `connection` alone. */
export function dataSourceOf<Source>(owner: { readonly dataSource: Source }): Source {
  const either: { readonly dataSource?: Source; readonly connection?: Source } = owner;
  return (either.dataSource ?? either.connection)!;
}

/** Quotes the path of a table for SQL: its name, or schema and name with a dot between. */
export function escapePath(
  { driver }: { readonly driver: { escape(name: string): string } },
  path: string,
): string {
  return path
    .split('.')
    .map((part) => driver.escape(part))
    .join('.');
}

// PostgreSQL: a deadlock, and a row that was changed meanwhile. MySQL and MariaDB: a deadlock, and what MariaDB says of
// such a row.
const CONFLICTS: ReadonlySet<unknown> = new Set([
  ...['40P01', '40001'],
  ...['ER_LOCK_DEADLOCK', 'ER_CHECKREAD'],
]);

/** True when the database has ended a transaction in favour of another one, so that its caller may repeat it. */
export function isConflict(error: unknown): boolean {
  const { driverError } = (error ?? {}) as { readonly driverError?: { readonly code?: unknown } };
  return CONFLICTS.has(driverError?.code);
}
