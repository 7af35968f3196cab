import type { DataSourceOptions } from 'typeorm';
import { freshPostgres } from '../services/database.js';

/** A new and empty database. */
export interface FreshStore {
  readonly options: DataSourceOptions;
  drop(): Promise<void>;
}

/** The databases that the API is tested on. */
export const stores: readonly { readonly database: string; fresh(): Promise<FreshStore> }[] = [
  {
    database: 'SQLite',
    fresh: async () => ({
      options: { type: 'better-sqlite3', database: ':memory:' },
      drop: async () => {},
    }),
  },
  {
    database: 'PostgreSQL',
    fresh: async () => {
      const { url, drop } = await freshPostgres();
      return { options: { type: 'postgres', url }, drop };
    },
  },
];
