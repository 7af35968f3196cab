import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  ColumnDefinitions,
  createTable,
  dropTables,
  optional,
  primary,
} from './table-definitions.js';

/** Creates the table `thorn_portal_links` of the page, on every supported database. */
export class CreateThornPortalLinks1767312000004 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornPortalLinks1767312000004';

  async up(queryRunner: QueryRunner): Promise<void> {
    const column = new ColumnDefinitions(queryRunner);
    await createTable(
      queryRunner,
      'thorn_portal_links',
      [
        primary(column.text('id', 64)),
        column.text('secret_hash', 64),
        column.text('owner', 255),
        column.text('capabilities', 64),
        column.of('created_at', 'bigint'),
        optional(column.of('used_at', 'bigint')),
        column.of('expires_at', 'bigint'),
      ],
      [
        { columnNames: ['secret_hash'], isUnique: true },
        { columnNames: ['owner'] },
        { columnNames: ['expires_at'] },
      ],
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await dropTables(queryRunner, 'thorn_portal_links');
  }
}
