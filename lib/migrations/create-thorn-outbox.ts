import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { dataSourceOf, MYSQL_ENGINE } from '../common/typeorm-compat.js';

/** Creates the tables `thorn_messages`, `thorn_deliveries`, `thorn_attempts` and `thorn_health`, on every database that is supported. */
export class CreateThornOutbox1767312000000 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornOutbox1767312000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { driver } = dataSourceOf(queryRunner);
    const column = (name: string, type: 'varchar' | 'text' | 'json' | 'int' | 'bigint') => ({
      name,
      type: driver.normalizeType({ type }),
    });
    const text = (name: string, length: number) => ({
      ...column(name, 'varchar'),
      length: String(length),
    });
    // JSON keeps a text as it is on the others; TypeORM holds the two to be the same.
    const isMysql = driver.options.type === 'mysql' || driver.options.type === 'mariadb';
    const long = (name: string) => (isMysql ? { name, type: 'longtext' } : column(name, 'json'));
    const optional = <Definition>(definition: Definition) => ({ ...definition, isNullable: true });
    const primary = <Definition>(definition: Definition) => ({ ...definition, isPrimary: true });

    await queryRunner.createTable(
      new Table({
        name: 'thorn_messages',
        engine: MYSQL_ENGINE,
        columns: [
          primary(text('id', 64)),
          text('event', 256),
          column('time', 'bigint'),
          optional(text('owner', 255)),
          text('audience', 16),
          optional(column('ref', 'text')),
          column('headers', 'text'),
          column('settings', 'text'),
          long('recipients'),
          optional(long('body')),
          optional(text('traceparent', 55)),
          optional(text('tracestate', 512)),
          optional(text('lease', 40)),
          optional(column('due_at', 'bigint')),
        ],
        indices: [
          { name: 'thorn_messages_due', columnNames: ['due_at'], where: 'due_at IS NOT NULL' },
          { name: 'thorn_messages_time', columnNames: ['time'] },
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'thorn_deliveries',
        engine: MYSQL_ENGINE,
        columns: [
          primary(text('id', 64)),
          text('message_id', 64),
          text('subscriber_id', 64),
          text('event', 256),
          text('status', 16),
          optional(text('reason', 16)),
          column('attempts', 'int'),
          column('throttled', 'int'),
          column('requests', 'int'),
          optional(text('host', 320)),
          optional(text('lease', 40)),
          optional(column('due_at', 'bigint')),
          optional(column('turn_at', 'bigint')),
          column('created_at', 'bigint'),
          optional(column('attempted_at', 'bigint')),
          optional(column('finished_at', 'bigint')),
        ],
        indices: [
          {
            name: 'thorn_deliveries_pair',
            columnNames: ['message_id', 'subscriber_id'],
            isUnique: true,
          },
          { name: 'thorn_deliveries_subscriber', columnNames: ['subscriber_id', 'id'] },
          {
            name: 'thorn_deliveries_waiting',
            columnNames: ['subscriber_id', 'due_at', 'turn_at'],
            where: 'due_at IS NOT NULL',
          },
          {
            name: 'thorn_deliveries_failed',
            columnNames: ['reason', 'id'],
            where: 'reason IS NOT NULL',
          },
          {
            name: 'thorn_deliveries_due',
            columnNames: ['due_at', 'turn_at'],
            where: 'due_at IS NOT NULL',
          },
          {
            name: 'thorn_deliveries_host',
            columnNames: ['host', 'due_at'],
            where: 'host IS NOT NULL',
          },
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'thorn_attempts',
        engine: MYSQL_ENGINE,
        columns: [
          primary(text('delivery_id', 64)),
          primary(column('number', 'int')),
          column('started_at', 'bigint'),
          column('duration', 'int'),
          optional(column('status', 'int')),
          optional(text('error_code', 32)),
          optional(column('error_message', 'text')),
          optional(column('answer', 'text')),
          optional(text('address', 64)),
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'thorn_health',
        engine: MYSQL_ENGINE,
        columns: [
          primary(text('subscriber_id', 64)),
          column('failing_since', 'bigint'),
          column('failing_messages', 'int'),
          text('token', 40),
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['thorn_health', 'thorn_attempts', 'thorn_deliveries', 'thorn_messages']) {
      await queryRunner.dropTable(table);
    }
  }
}
