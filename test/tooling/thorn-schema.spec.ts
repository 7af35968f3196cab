import { DataSource, type DataSourceOptions, DefaultNamingStrategy } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { freshMariadb, freshPostgres } from '../services/database.js';
import { thornEntities, thornMigrations } from '../../lib/typeorm/index.js';

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
  it.each([
    { prefix: '', tables: 'thorn_messages' },
    { prefix: 'my_', tables: 'my_thorn_messages' },
  ])(
    'makes the schema that synchronize makes with the prefix "$prefix", and reverts it',
    async ({ prefix, tables }) => {
      const { options, drop } = await open();
      const dataSource = await new DataSource({ ...options, entityPrefix: prefix }).initialize();
      try {
        await dataSource.runMigrations();
        const missing = await dataSource.driver.createSchemaBuilder().log();
        expect(missing.upQueries.map(({ query }) => query)).toEqual([]);
        expect(dataSource.entityMetadatas.map(({ tableName }) => tableName)).toContain(tables);

        const queryRunner = dataSource.createQueryRunner();
        // No entity of TypeORM has a number of 64 bits that each database gives.
        const made = [
          ...dataSource.entityMetadatas.map(({ tableName }) => tableName),
          `${prefix}thorn_changes`,
        ];
        for (const table of made) expect(await queryRunner.hasTable(table), table).toBe(true);
        for (const _ of thornMigrations) await dataSource.undoLastMigration();
        for (const table of made) expect(await queryRunner.hasTable(table), table).toBe(false);
        await queryRunner.release();
      } finally {
        await dataSource.destroy();
        await drop();
      }
    },
  );

  it('makes the tables of two prefixes in one database', async () => {
    const { options, drop } = await open();
    const first = await new DataSource(options).initialize();
    try {
      await first.runMigrations();
      for (const prefix of ['a_', 'b_']) {
        const runner = first.createQueryRunner();
        Object.assign(first.options, { entityPrefix: prefix });
        for (const Migration of thornMigrations) await new Migration().up(runner);
        expect(await runner.hasTable(`${prefix}thorn_deliveries`)).toBe(true);
        await runner.release();
      }
    } finally {
      await first.destroy();
      await drop();
    }
  });

  it('leaves nothing to generate before or after it has run, in a data source without thornEntities', async () => {
    const { options, drop } = await open();
    const dataSource = await new DataSource({ ...options, entities: [] }).initialize();
    const generated = async () => {
      const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log();
      return [...upQueries, ...downQueries].map(({ query }) => query);
    };
    try {
      expect(await generated()).toEqual([]);
      await dataSource.runMigrations();
      expect(await generated()).toEqual([]);
    } finally {
      await dataSource.destroy();
      await drop();
    }
  });
});

/** Such as an application may have. */
class Underlined extends DefaultNamingStrategy {
  override prefixTableName(prefix: string, table: string): string {
    return `${prefix}__${table}`;
  }
  override indexName(table: { name: string } | string, columns: string[]): string {
    return `ix_${typeof table === 'string' ? table : table.name}_${columns.join('_')}`;
  }
}

describe('thornMigrations in a schema of PostgreSQL', () => {
  it('follow the naming strategy', async () => {
    const { url, drop } = await freshPostgres();
    const dataSource = await new DataSource({
      type: 'postgres',
      url,
      ...shared,
      schema: 'App',
      entityPrefix: 'my',
      namingStrategy: new Underlined(),
    }).initialize();
    try {
      await dataSource.query('CREATE SCHEMA "App"');
      await dataSource.runMigrations();
      expect(
        await dataSource.query(
          `SELECT schemaname, indexname FROM pg_indexes WHERE tablename = 'my__thorn_messages' ORDER BY 2`,
        ),
      ).toEqual([
        { schemaname: 'App', indexname: 'ix_my__thorn_messages_position_id' },
        { schemaname: 'App', indexname: 'ix_my__thorn_messages_subject_time' },
        { schemaname: 'App', indexname: 'ix_my__thorn_messages_time' },
        { schemaname: 'App', indexname: 'my__thorn_messages_pkey' },
      ]);
      const missing = await dataSource.driver.createSchemaBuilder().log();
      expect(missing.upQueries.map(({ query }) => query)).toEqual([]);
      await dataSource.undoLastMigration();
      expect(
        await dataSource.query(`SELECT 1 FROM pg_tables WHERE tablename LIKE 'my\\_\\_thorn%'`),
      ).toEqual([]);
    } finally {
      await dataSource.destroy();
      await drop();
    }
  });
});
