import { ThornError } from './thorn.error.js';

/**
 * Thrown when a value that a caller gave is refused: nothing was stored and nothing sent. The REST API answers it as
 * a 400 that names {@link field}.
 */
export class InvalidInputError extends ThornError {
  readonly code: string = 'THORN_INVALID_INPUT';

  /**
   * @param field the name of the refused field, as the caller spells it
   * @param reason a sentence part that follows the field's name, for example `must be an http or https URL`
   */
  constructor(
    readonly field: string,
    readonly reason: string,
    data: Readonly<Record<string, unknown>> = {},
  ) {
    super(`${field} ${reason}`, { field, ...data });
  }
}
