/**
 * How MySQL and MariaDB make the library's tables; the other databases do not look at it. Their default collations hold
 * texts that differ in their case alone to be equal, and ids and tokens are not.
 */
export const MYSQL_ENGINE = 'InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin';

/** The data source of a manager or a query runner. TypeORM 0.3 knows it as `connection` alone. */
export function dataSourceOf<Source>(owner: { readonly dataSource: Source }): Source {
  const { dataSource } = owner as { readonly dataSource?: Source };
  return dataSource ?? (owner as unknown as { readonly connection: Source }).connection;
}
