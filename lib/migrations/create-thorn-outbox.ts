import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  ColumnDefinitions,
  createTable,
  dropTables,
  optional,
  primary,
} from './table-definitions.js';

/**
 * Creates the tables `thorn_messages`, `thorn_pending_messages`, `thorn_deliveries`, `thorn_attempts`, `thorn_health`,
 * `thorn_sequences` and `thorn_bulk_operations`, on every supported database.
 */
export class CreateThornOutbox1767312000000 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornOutbox1767312000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const column = new ColumnDefinitions(queryRunner);
    await createTable(
      queryRunner,
      'thorn_messages',
      [
        primary(column.of('id', 'uuid')),
        optional(column.text('given_id', 64)),
        column.text('event', 256),
        column.of('time', 'bigint'),
        optional(column.of('sequence', 'bigint')),
        optional(column.text('owner', 255)),
        column.text('audience', 16),
        optional(column.of('ref', 'text')),
        column.of('headers', 'text'),
        column.of('settings', 'text'),
        column.json('recipients'),
        optional(column.json('body')),
        optional(column.text('order_key', 255)),
        optional(column.text('traceparent', 55)),
        optional(column.text('tracestate', 512)),
      ],
      [{ columnNames: ['time'] }],
    );
    await createTable(
      queryRunner,
      'thorn_pending_messages',
      [
        primary(column.of('id', 'uuid')),
        optional(column.of('key_hash', 'uuid')),
        optional(column.of('sequence', 'bigint')),
        column.of('due_at', 'bigint'),
        optional(column.text('lease', 40)),
      ],
      [
        { columnNames: ['due_at'] },
        { columnNames: ['key_hash', 'sequence'], where: 'key_hash IS NOT NULL' },
      ],
    );
    await createTable(
      queryRunner,
      'thorn_deliveries',
      [
        primary(column.of('id', 'uuid')),
        column.of('message_id', 'uuid'),
        column.of('subscriber_id', 'uuid'),
        optional(column.of('key_hash', 'uuid')),
        optional(column.of('place', 'bigint')),
        optional(column.of('due_at', 'bigint')),
        optional(column.of('permit_at', 'bigint')),
        optional(column.of('attempted_at', 'bigint')),
        optional(column.of('finished_at', 'bigint')),
        optional(column.of('started_at', 'bigint')),
        column.of('attempts', 'int'),
        column.of('throttled', 'int'),
        column.of('requests', 'int'),
        optional(column.of('duration', 'int')),
        optional(column.of('response_status', 'int')),
        optional(column.text('given_message_id', 64)),
        optional(column.text('given_subscriber_id', 64)),
        column.text('event', 256),
        column.text('status', 16),
        optional(column.text('reason', 16)),
        optional(column.text('host', 320)),
        optional(column.text('lease', 40)),
        optional(column.text('error_code', 32)),
        optional(column.of('error_message', 'text')),
        optional(column.of('response', 'text')),
        optional(column.text('address', 64)),
        optional(column.of('answer_headers', 'text')),
      ],
      [
        { columnNames: ['subscriber_id', 'id'] },
        { columnNames: ['subscriber_id', 'due_at', 'permit_at'], where: 'due_at IS NOT NULL' },
        { columnNames: ['reason', 'id'], where: 'reason IS NOT NULL' },
        { columnNames: ['due_at', 'permit_at'], where: 'due_at IS NOT NULL' },
        { columnNames: ['host', 'due_at'], where: 'host IS NOT NULL' },
        {
          columnNames: ['key_hash', 'subscriber_id', 'place'],
          isUnique: true,
          where: 'key_hash IS NOT NULL',
        },
      ],
    );
    await createTable(queryRunner, 'thorn_attempts', [
      primary(column.of('delivery_id', 'uuid')),
      primary(column.of('number', 'int')),
      column.of('started_at', 'bigint'),
      column.of('duration', 'int'),
      optional(column.of('status', 'int')),
      optional(column.text('error_code', 32)),
      optional(column.of('error_message', 'text')),
      optional(column.of('response', 'text')),
      optional(column.text('address', 64)),
      optional(column.of('answer_headers', 'text')),
    ]);
    await createTable(queryRunner, 'thorn_health', [
      primary(column.text('subscriber_id', 64)),
      column.of('failing_since', 'bigint'),
      column.of('failing_messages', 'int'),
      column.text('token', 40),
    ]);
    await createTable(queryRunner, 'thorn_sequences', [
      primary(column.of('id', 'uuid')),
      column.of('sequence', 'bigint'),
    ]);
    await createTable(
      queryRunner,
      'thorn_bulk_operations',
      [primary(column.of('subscriber_id', 'uuid')), column.of('expires_at', 'bigint')],
      [{ columnNames: ['expires_at'] }],
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await dropTables(
      queryRunner,
      'thorn_bulk_operations',
      'thorn_sequences',
      'thorn_health',
      'thorn_attempts',
      'thorn_deliveries',
      'thorn_pending_messages',
      'thorn_messages',
    );
  }
}
