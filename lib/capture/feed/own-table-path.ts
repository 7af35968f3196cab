import type { DataSource } from 'typeorm';

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
