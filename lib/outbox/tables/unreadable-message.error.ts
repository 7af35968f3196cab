import { ThornError } from '../../errors/index.js';

/** Thrown when a row of `thorn_messages` is none that this version has written. The row stays as it is. */
export class UnreadableMessageError extends ThornError {
  readonly code = 'THORN_UNREADABLE_MESSAGE';

  constructor(message: string, cause: unknown) {
    super(
      `The row of ${message} in thorn_messages cannot be read: ${String(cause)}. Mend or delete it; it is looked at again once an hour.`,
      { message },
      cause,
    );
  }
}
