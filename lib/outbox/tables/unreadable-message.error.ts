import { ThornError } from '../../errors/index.js';

/** Thrown when a row of `thorn_messages` was not written by this version. The row stays as it is. */
export class UnreadableMessageError extends ThornError {
  readonly code = 'THORN_UNREADABLE_MESSAGE';

  constructor(message: string, cause: unknown) {
    super(
      `The row of ${message} in thorn_messages cannot be read: ${String(cause)}. Repair or delete the row; the worker reads it again once an hour.`,
      { message },
      cause,
    );
  }
}
