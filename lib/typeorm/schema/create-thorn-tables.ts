import type { MigrationInterface, QueryRunner } from 'typeorm';
import { schemaOf } from '../../database/schema/data-source-schema.js';
import { THORN_TABLES } from '../../database/schema/thorn-tables.js';

/** Creates the tables of the library, on every supported database. */
export class CreateThornTables1767312000000 implements MigrationInterface {
  // Written out, because a bundler may rename the class, and TypeORM remembers by this name which migrations have run.
  readonly name = 'CreateThornTables1767312000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const sql of schemaOf(queryRunner).create(THORN_TABLES)) await queryRunner.query(sql);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const sql of schemaOf(queryRunner).drop(THORN_TABLES)) await queryRunner.query(sql);
  }
}
