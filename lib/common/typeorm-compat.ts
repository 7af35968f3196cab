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
