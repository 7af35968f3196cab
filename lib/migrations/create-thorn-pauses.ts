import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { dataSourceOf, MYSQL_ENGINE } from '../common/typeorm-compat.js';

/** Creates the table `thorn_pauses` of the operator API, on every database that is supported. */
export class CreateThornPauses1767312000001 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornPauses1767312000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { driver } = dataSourceOf(queryRunner);
    await queryRunner.createTable(
      new Table({
        name: 'thorn_pauses',
        engine: MYSQL_ENGINE,
        columns: [
          {
            name: 'host',
            type: driver.normalizeType({ type: 'varchar' }),
            length: '320',
            isPrimary: true,
          },
          { name: 'paused_at', type: driver.normalizeType({ type: 'bigint' }) },
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('thorn_pauses');
  }
}
