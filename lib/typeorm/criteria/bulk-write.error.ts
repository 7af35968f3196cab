import { ThornError } from '../../errors/index.js';

/**
 * Thrown where events of a write to many rows could not be sent:
 *
 * - before a write that would hit more rows than `bulkLimit`;
 * - for an update that sets a primary key;
 * - for a write that has hit other rows than its condition had matched;
 * - with `bulk: 'throw'` before any write that does not say which rows of an entity with events it hits.
 */
export class BulkWriteError extends ThornError {
  readonly code = 'THORN_BULK_WRITE';

  constructor(message: string, data: Readonly<Record<string, unknown>>) {
    super(message, data);
  }
}
