import { ThornError } from '../../errors/index.js';

/** Thrown when a command was called in a way that makes no sense, or with what cannot be read: exit code 2. */
export class UsageError extends ThornError {
  readonly code = 'THORN_USAGE';

  // Made public: the base class is abstract.
  constructor(message: string) {
    super(message);
  }
}
