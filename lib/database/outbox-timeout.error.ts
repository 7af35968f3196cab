import { ThornError } from '../errors/index.js';

/**
 * Thrown when the database has not answered in time, or when the pool had no connection for so long. The work is done
 * again. A connection that did not answer was dropped.
 */
export class OutboxTimeoutError extends ThornError {
  readonly code = 'THORN_OUTBOX_TIMEOUT';

  /** @param timeout milliseconds @param isConnected false when the pool gave no connection */
  constructor(timeout: number, isConnected: boolean) {
    super(
      isConnected
        ? `The database did not answer within ${timeout} ms. If it is merely slow, raise queryTimeout in outbox({ … })`
        : `The pool had no free connection within ${timeout} ms. Give it more connections, or hold them for a shorter time`,
      { timeout },
    );
  }
}
