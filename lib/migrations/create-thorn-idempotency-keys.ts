import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  ColumnDefinitions,
  createTable,
  dropTables,
  optional,
  primary,
} from './table-definitions.js';

/** Creates the table `thorn_idempotency_keys` of the REST API, on every supported database. */
export class CreateThornIdempotencyKeys1767225600001 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornIdempotencyKeys1767225600001';

  async up(queryRunner: QueryRunner): Promise<void> {
    const column = new ColumnDefinitions(queryRunner);
    await createTable(
      queryRunner,
      'thorn_idempotency_keys',
      [
        primary(column.text('id', 64)),
        column.text('fingerprint', 64),
        optional(column.of('answer', 'text')),
        column.of('expires_at', 'bigint'),
      ],
      [{ columnNames: ['expires_at'] }],
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await dropTables(queryRunner, 'thorn_idempotency_keys');
  }
}
