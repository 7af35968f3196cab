import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ColumnDefinitions, createTable, dropTables, primary } from './table-definitions.js';

/** Creates the table `thorn_pauses` of the operator API, on every supported database. */
export class CreateThornPauses1767312000001 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornPauses1767312000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    const column = new ColumnDefinitions(queryRunner);
    await createTable(queryRunner, 'thorn_pauses', [
      primary(column.text('host', 320)),
      column.of('paused_at', 'bigint'),
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await dropTables(queryRunner, 'thorn_pauses');
  }
}
