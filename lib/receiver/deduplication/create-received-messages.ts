/** What is needed of TypeORM's `QueryRunner`. */
interface SchemaRunner {
  query(sql: string): Promise<unknown>;
}

/**
 * Migration of the table `thorn_received_messages`, for TypeORM's own runner: name it among the data source's
 * `migrations`. Needed by `DatabaseReceivedMessages` and `processOnce()`.
 */
export class CreateThornReceivedMessages1767312060000 {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornReceivedMessages1767312060000';

  async up(runner: SchemaRunner): Promise<void> {
    await runner.query(
      'CREATE TABLE thorn_received_messages (' +
        'hash char(64) NOT NULL PRIMARY KEY, token varchar(40) NOT NULL, expires_at bigint NOT NULL)',
    );
    await runner.query(
      'CREATE INDEX thorn_received_messages_expiry ON thorn_received_messages (expires_at)',
    );
  }

  async down(runner: SchemaRunner): Promise<void> {
    await runner.query('DROP TABLE thorn_received_messages');
  }
}
