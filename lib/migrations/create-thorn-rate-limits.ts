import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ColumnDefinitions, createTable, dropTables, primary } from './table-definitions.js';

/** Creates the table `thorn_rate_limits`, on every supported database. */
export class CreateThornRateLimits1767312000002 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornRateLimits1767312000002';

  async up(queryRunner: QueryRunner): Promise<void> {
    const column = new ColumnDefinitions(queryRunner);
    await createTable(queryRunner, 'thorn_rate_limits', [
      primary(column.text('subscriber_id', 64)),
      column.of('state', 'text'),
      column.of('kept_until', 'bigint'),
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await dropTables(queryRunner, 'thorn_rate_limits');
  }
}
