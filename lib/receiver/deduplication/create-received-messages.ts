import { dataSourceOf } from '../../common/typeorm-compat.js';
import { tableName } from './receiver-tables.js';

const TABLE = 'thorn_received_messages';

/** The part of TypeORM's `QueryRunner` that is used. */
export interface SchemaRunner {
  readonly dataSource: { readonly options: { readonly entityPrefix?: string } };
  query(sql: string): Promise<unknown>;
}

/**
 * Migration of the table `thorn_received_messages`, for TypeORM's own runner: name it among the data source's
 * `migrations`. Needed by `DatabaseReceivedMessages` and `processOnce()`.
 */
export class CreateThornReceivedMessages1767312060000 {
  // Explicit, since a bundler may rename the class, and TypeORM remembers migrations by this name.
  readonly name = 'CreateThornReceivedMessages1767312060000';

  async up(runner: SchemaRunner): Promise<void> {
    const table = tableName(dataSourceOf(runner), TABLE);
    await runner.query(
      `CREATE TABLE ${table} (` +
        'hash char(64) NOT NULL PRIMARY KEY, token varchar(40) NOT NULL, expires_at bigint NOT NULL)',
    );
    await runner.query(`CREATE INDEX ${table}_expiry ON ${table} (expires_at)`);
  }

  async down(runner: SchemaRunner): Promise<void> {
    await runner.query(`DROP TABLE ${tableName(dataSourceOf(runner), TABLE)}`);
  }
}
