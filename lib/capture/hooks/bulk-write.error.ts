import { ThornError } from '../../errors/index.js';

/** Thrown with `bulk: 'throw'` when a write that tells no rows hits an entity with events. */
export class BulkWriteError extends ThornError {
  readonly code = 'THORN_BULK_WRITE';

  constructor(message: string, data: Readonly<Record<string, unknown>>) {
    super(message, data);
  }
}
