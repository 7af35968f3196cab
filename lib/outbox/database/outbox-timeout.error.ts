import { ThornError } from '../../errors/index.js';

/** Thrown when the database has not answered in time; the connection was dropped and the work is done again. */
export class OutboxTimeoutError extends ThornError {
  readonly code = 'THORN_OUTBOX_TIMEOUT';

  /** @param timeout milliseconds */
  constructor(timeout: number) {
    super(
      `The database did not answer within ${timeout} ms. If it is merely slow, raise queryTimeout in outbox({ … })`,
      { timeout },
    );
  }
}
