import { dataSourceOf } from '../../common/typeorm-compat.js';
import type { SchemaRunner } from '../deduplication/create-received-messages.js';
import { tableName } from '../deduplication/receiver-tables.js';

const TABLE = 'thorn_processed_sequences';

/**
 * Migration of the table `thorn_processed_sequences`, for TypeORM's own runner: name it among the data source's
 * `migrations`. Needed by `DatabaseProcessedSequences`.
 */
export class CreateThornProcessedSequences1767312060001 {
  // Explicit, since a bundler may rename the class, and TypeORM remembers migrations by this name.
  readonly name = 'CreateThornProcessedSequences1767312060001';

  async up(runner: SchemaRunner): Promise<void> {
    const table = tableName(dataSourceOf(runner), TABLE);
    await runner.query(
      `CREATE TABLE ${table} (hash char(64) NOT NULL PRIMARY KEY, sequence bigint NOT NULL, ` +
        'token varchar(40) NOT NULL, leased_until bigint NOT NULL, kept_until bigint NOT NULL)',
    );
    await runner.query(`CREATE INDEX ${table}_expiry ON ${table} (kept_until)`);
  }

  async down(runner: SchemaRunner): Promise<void> {
    await runner.query(`DROP TABLE ${tableName(dataSourceOf(runner), TABLE)}`);
  }
}
