import { ThornError } from '../errors/index.js';

/** Thrown by the `waitFor` methods when nothing that fits came in time; names what did come. */
export class WaitTimeoutError extends ThornError {
  readonly code = 'THORN_WAIT_TIMEOUT';

  /** @param came names of the items that came instead */
  constructor(wanted: string, timeout: number, came: readonly string[]) {
    const rest = came.length === 0 ? 'nothing came at all' : `what came: ${came.join(', ')}`;
    super(`Timed out after ${timeout} ms waiting for ${wanted}; ${rest}.`, {
      wanted,
      timeout,
      came,
    });
  }
}
