import { dataSourceOf } from '../../common/typeorm-compat.js';
import { databaseOf, SchemaSql } from './schema-sql.js';

/** The part of TypeORM's `QueryRunner` that migrations use. */
export interface MigrationRunner {
  readonly dataSource: {
    readonly options: {
      readonly type: string;
      readonly entityPrefix?: string;
      readonly schema?: string;
    };
    readonly namingStrategy: {
      prefixTableName(prefix: string, name: string): string;
      indexName(table: string, columns: string[], where?: string): string;
    };
  };
  query(sql: string): Promise<unknown>;
}

/** Names of tables and indexes follow the data source, as those of its entities do. */
export function schemaOf(runner: MigrationRunner): SchemaSql {
  const { options, namingStrategy } = dataSourceOf(runner);
  const { type, entityPrefix: prefix, schema } = options;
  return new SchemaSql(
    databaseOf(type),
    { schema },
    {
      table: (name) => (prefix ? namingStrategy.prefixTableName(prefix, name) : name),
      index: (table, columns, where) => namingStrategy.indexName(table, [...columns], where),
    },
  );
}
