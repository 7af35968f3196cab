import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  ColumnDefinitions,
  createTable,
  dropTables,
  optional,
  primary,
} from './table-definitions.js';

/**
 * Creates the table `thorn_subscribers`, on every supported database.
 *
 * @example
 * ```ts
 * new DataSource({ …, migrations: [CreateThornSubscribers1767225600000, './migrations/*.js'] });
 * ```
 */
export class CreateThornSubscribers1767225600000 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornSubscribers1767225600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const column = new ColumnDefinitions(queryRunner);
    await createTable(
      queryRunner,
      'thorn_subscribers',
      [
        primary(column.text('id', 64)),
        optional(column.text('owner', 255)),
        column.text('url', 2048),
        column.of('events', 'text'),
        column.of('exclude', 'text'),
        optional(column.of('filter', 'text')),
        optional(column.of('rate_max', 'int')),
        optional(column.of('rate_per', 'int')),
        column.of('ordered', 'boolean'),
        column.text('on_exhausted', 16),
        optional(column.of('hold_for', 'int')),
        column.text('content_type', 255),
        column.text('digest', 16),
        column.of('secrets', 'text'),
        column.of('enabled', 'boolean'),
        column.text('verification', 16),
        optional(column.text('description', 1000)),
        column.of('metadata', 'text'),
        column.of('revision', 'int'),
        optional(column.text('owner_place', 64)),
        optional(column.text('host_place', 64)),
        column.of('created_at', 'bigint'),
        column.of('updated_at', 'bigint'),
      ],
      [
        { columnNames: ['owner', 'id'] },
        { columnNames: ['updated_at', 'revision'] },
        { columnNames: ['owner_place'], isUnique: true },
        { columnNames: ['host_place'], isUnique: true },
      ],
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await dropTables(queryRunner, 'thorn_subscribers');
  }
}
