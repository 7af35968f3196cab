import { PROCESSED_SEQUENCES } from '../../database/schema/thorn-tables.js';
import { type SchemaRunner, schemaOf } from '../deduplication/receiver-tables.js';

/**
 * Migration of the table `thorn_processed_sequences`, for TypeORM's own runner: name it among the data source's
 * `migrations`. Needed by `DatabaseProcessedSequences`.
 */
export class CreateThornProcessedSequences1767312060001 {
  // Explicit, since a bundler may rename the class, and TypeORM remembers migrations by this name.
  readonly name = 'CreateThornProcessedSequences1767312060001';

  async up(runner: SchemaRunner): Promise<void> {
    for (const sql of schemaOf(runner).create([PROCESSED_SEQUENCES])) await runner.query(sql);
  }

  async down(runner: SchemaRunner): Promise<void> {
    for (const sql of schemaOf(runner).drop([PROCESSED_SEQUENCES])) await runner.query(sql);
  }
}
