import { DataSource, type DataSourceOptions } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { freshMariadb, freshPostgres } from '../../test/services/database.js';
import { thornEntities, thornMigrations } from './index.js';

const shared = {
  entities: thornEntities,
  migrations: thornMigrations,
};

describe.each([
  {
    database: 'SQLite',
    open: async () => ({
      options: { type: 'better-sqlite3', database: ':memory:', ...shared } as DataSourceOptions,
      drop: async () => {},
    }),
  },
  {
    database: 'PostgreSQL',
    open: async () => {
      const { url, drop } = await freshPostgres();
      return { options: { type: 'postgres', url, ...shared } as DataSourceOptions, drop };
    },
  },
  {
    database: 'MariaDB',
    open: async () => {
      const { url, drop } = await freshMariadb();
      return { options: { type: 'mariadb', url, ...shared } as DataSourceOptions, drop };
    },
  },
])('thornMigrations on $database', ({ open }) => {
  it('makes the very schema that synchronize makes, and takes it back', async () => {
    const { options, drop } = await open();
    const dataSource = await new DataSource(options).initialize();
    try {
      await dataSource.runMigrations();
      const missing = await dataSource.driver.createSchemaBuilder().log();
      expect(missing.upQueries.map(({ query }) => query)).toEqual([]);

      for (const _ of thornMigrations) await dataSource.undoLastMigration();
      const queryRunner = dataSource.createQueryRunner();
      for (const { tableName } of dataSource.entityMetadatas) {
        expect(await queryRunner.hasTable(tableName), tableName).toBe(false);
      }
      await queryRunner.release();
    } finally {
      await dataSource.destroy();
      await drop();
    }
  });
});
