import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { dataSourceOf, MYSQL_ENGINE } from '../common/typeorm-compat.js';

/** Creates the table `thorn_rate_limits`, on every database that is supported. */
export class CreateThornRateLimits1767312000002 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornRateLimits1767312000002';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { driver } = dataSourceOf(queryRunner);
    await queryRunner.createTable(
      new Table({
        name: 'thorn_rate_limits',
        engine: MYSQL_ENGINE,
        columns: [
          {
            name: 'subscriber_id',
            type: driver.normalizeType({ type: 'varchar' }),
            length: '64',
            isPrimary: true,
          },
          { name: 'state', type: driver.normalizeType({ type: 'text' }) },
          { name: 'kept_until', type: driver.normalizeType({ type: 'bigint' }) },
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('thorn_rate_limits');
  }
}
