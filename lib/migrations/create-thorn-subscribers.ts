import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { dataSourceOf, MYSQL_ENGINE } from '../common/typeorm-compat.js';

/**
 * Creates the table `thorn_subscribers`, on every database that is supported.
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
    const { driver } = dataSourceOf(queryRunner);
    // Each driver has its own word for some types, and an empty word has no length.
    const column = (name: string, type: 'varchar' | 'text' | 'boolean' | 'int' | 'bigint') => ({
      name,
      type: driver.normalizeType({ type }),
    });
    const text = (name: string, length: number) => ({
      ...column(name, 'varchar'),
      length: String(length),
    });
    await queryRunner.createTable(
      new Table({
        name: 'thorn_subscribers',
        engine: MYSQL_ENGINE,
        columns: [
          { ...text('id', 64), isPrimary: true },
          { ...text('owner', 255), isNullable: true },
          text('url', 2048),
          column('events', 'text'),
          column('exclude', 'text'),
          { ...column('filter', 'text'), isNullable: true },
          { ...column('rate_max', 'int'), isNullable: true },
          { ...column('rate_per', 'int'), isNullable: true },
          text('content_type', 255),
          text('digest', 16),
          column('secrets', 'text'),
          column('enabled', 'boolean'),
          text('verification', 16),
          { ...text('description', 1000), isNullable: true },
          column('metadata', 'text'),
          column('revision', 'int'),
          { ...text('owner_place', 64), isNullable: true },
          { ...text('host_place', 64), isNullable: true },
          column('created_at', 'bigint'),
          column('updated_at', 'bigint'),
        ],
        indices: [
          { name: 'thorn_subscribers_owner', columnNames: ['owner', 'id'] },
          { name: 'thorn_subscribers_changes', columnNames: ['updated_at', 'revision'] },
          { name: 'thorn_subscribers_owner_place', columnNames: ['owner_place'], isUnique: true },
          { name: 'thorn_subscribers_host_place', columnNames: ['host_place'], isUnique: true },
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('thorn_subscribers');
  }
}
