/**
 * The engine options of the library's tables on MySQL and MariaDB; other databases ignore them. The default collations
 * ignore case, but ids and tokens are case-sensitive.
 */
export const MYSQL_ENGINE = 'InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin';

/** The data source of a manager or a query runner. TypeORM 0.3 knows it as `connection` alone. */
export function dataSourceOf<Source>(owner: { readonly dataSource: Source }): Source {
  const { dataSource } = owner as { readonly dataSource?: Source };
  return dataSource ?? (owner as unknown as { readonly connection: Source }).connection;
}
