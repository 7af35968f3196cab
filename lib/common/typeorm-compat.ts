import type { DataSource } from 'typeorm';

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

/**
 * The quoted name of a table or a function of the library that no entity describes, with the data source's schema and
 * `entityPrefix`. The data source is initialised.
 */
export function ownTablePath(dataSource: DataSource, name: string): string {
  const { driver, namingStrategy, options } = dataSource;
  const { schema = 'public' } = driver as { readonly schema?: string };
  const prefix = options.entityPrefix;
  const own = prefix ? namingStrategy.prefixTableName(prefix, name) : name;
  return `${driver.escape(schema)}.${driver.escape(own)}`;
}
