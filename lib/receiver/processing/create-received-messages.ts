import { type MigrationRunner, schemaOf } from '../../database/schema/data-source-schema.js';
import { RECEIVED_MESSAGES } from '../../database/schema/thorn-tables.js';

/**
 * Migration of the table `thorn_received_messages`, for TypeORM's own runner: name it among the data source's
 * `migrations`. Needed by the option `database` of receivers, and by `processOnce()`.
 */
export class CreateThornReceivedMessages1767312060000 {
  // Explicit, since a bundler may rename the class, and TypeORM remembers migrations by this name.
  readonly name = 'CreateThornReceivedMessages1767312060000';

  async up(runner: MigrationRunner): Promise<void> {
    for (const sql of schemaOf(runner).create([RECEIVED_MESSAGES])) await runner.query(sql);
  }

  async down(runner: MigrationRunner): Promise<void> {
    for (const sql of schemaOf(runner).drop([RECEIVED_MESSAGES])) await runner.query(sql);
  }
}
