import type { DataSource } from 'typeorm';

/** How error texts name a data source; it has no name of its own. */
export function dataSourceName({ options }: DataSource): string {
  return typeof options.database === 'string'
    ? `${options.type} ${options.database}`
    : options.type;
}
