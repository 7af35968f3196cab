import type { DataSource } from 'typeorm';

/** Names a data source in error texts, since it has no name of its own. */
export function dataSourceName({ options }: DataSource): string {
  return typeof options.database === 'string'
    ? `${options.type} ${options.database}`
    : options.type;
}
