import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { dataSourceOf, MYSQL_ENGINE } from '../common/typeorm-compat.js';

/** Creates the table `thorn_idempotency_keys` of the REST API, on every database that is supported. */
export class CreateThornIdempotencyKeys1767225600001 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornIdempotencyKeys1767225600001';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { driver } = dataSourceOf(queryRunner);
    const column = (name: string, type: 'varchar' | 'text' | 'bigint') => ({
      name,
      type: driver.normalizeType({ type }),
    });
    const text = (name: string) => ({ ...column(name, 'varchar'), length: '64' });
    await queryRunner.createTable(
      new Table({
        name: 'thorn_idempotency_keys',
        engine: MYSQL_ENGINE,
        columns: [
          { ...text('id'), isPrimary: true },
          text('fingerprint'),
          { ...column('answer', 'text'), isNullable: true },
          column('expires_at', 'bigint'),
        ],
        indices: [{ name: 'thorn_idempotency_keys_expiry', columnNames: ['expires_at'] }],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('thorn_idempotency_keys');
  }
}
