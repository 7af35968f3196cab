import { errorText } from '../common/index.js';
import { ThornError } from '../errors/index.js';

/**
 * Thrown to BullMQ when a job failed. BullMQ keeps the text in Redis, and the error of a driver may quote its parameters, so
 * the text is the one that goes into the log.
 */
export class JobFailedError extends ThornError {
  readonly code = 'THORN_JOB_FAILED';

  constructor(reason: unknown) {
    super(errorText(reason));
  }
}
