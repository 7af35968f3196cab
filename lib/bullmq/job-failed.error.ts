import { errorText } from '../common/index.js';
import { ThornError } from '../errors/index.js';

/**
 * What BullMQ is told of a job that failed. It keeps that in Redis, and the words of a driver may quote what it was given:
 * so it is told what a log is.
 */
export class JobFailedError extends ThornError {
  readonly code = 'THORN_JOB_FAILED';

  constructor(reason: unknown) {
    super(errorText(reason));
  }
}
