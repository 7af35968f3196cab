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

/** The part of a `DataSource` that names tables. */
export interface TableNaming {
  readonly options: { readonly entityPrefix?: string };
  readonly namingStrategy: { prefixTableName(prefix: string, name: string): string };
  /** The schema is known once the data source is initialised. */
  readonly driver: { escape(name: string): string; readonly schema?: string };
}

/**
 * The quoted name of a table or a function of the library that no entity describes, with the data source's schema and
 * `entityPrefix`.
 */
export function ownTablePath(dataSource: TableNaming, name: string): string {
  const { driver, namingStrategy, options } = dataSource;
  const prefix = options.entityPrefix;
  const own = driver.escape(prefix ? namingStrategy.prefixTableName(prefix, name) : name);
  return driver.schema ? `${driver.escape(driver.schema)}.${own}` : own;
}
