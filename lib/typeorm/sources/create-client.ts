import type { DataSource } from 'typeorm';
import { DataSourceClient } from '../clients/data-source-client.js';

/**
 * Makes the client of a data source. An application has one for each, which its transactions and its stores are compared by.
 * What SQLite alone needs is loaded for a data source on SQLite alone.
 */
export async function createClient(dataSource: DataSource): Promise<DataSourceClient> {
  if (dataSource.options.type !== 'better-sqlite3') return new DataSourceClient(dataSource);
  const { SqliteClient } = await import('../sqlite/sqlite-client.js');
  return new SqliteClient(dataSource);
}
