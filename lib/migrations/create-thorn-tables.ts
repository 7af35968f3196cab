import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dataSourceOf } from '../common/typeorm-compat.js';
import { databaseOf, SchemaSql } from '../database/schema/schema-sql.js';
import { THORN_TABLES } from '../database/schema/thorn-tables.js';

/** Creates the tables of the library, on every supported database. */
export class CreateThornTables1767312000000 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornTables1767312000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const sql of sqlOf(queryRunner).create(THORN_TABLES)) await queryRunner.query(sql);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const sql of sqlOf(queryRunner).drop(THORN_TABLES)) await queryRunner.query(sql);
  }
}

/** Names follow the data source, as those of its entities do. */
function sqlOf(queryRunner: QueryRunner): SchemaSql {
  const { options, namingStrategy } = dataSourceOf(queryRunner);
  const { type, entityPrefix: prefix } = options;
  const schema = 'schema' in options ? options.schema : undefined;
  return new SchemaSql(
    databaseOf(type),
    { schema },
    {
      table: (name) => (prefix ? namingStrategy.prefixTableName(prefix, name) : name),
      index: (table, columns, where) => namingStrategy.indexName(table, [...columns], where),
    },
  );
}
