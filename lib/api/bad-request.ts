import { BadRequestException } from '@nestjs/common';

/** One refused field: its name as the caller spelled it, and a sentence part that follows the name. */
export interface RefusedField {
  readonly field: string;
  readonly reason: string;
}

/** The one shape of every 400 of the API: Nest's own, and beside it each field with its reason, for programs. */
export function badRequest(errors: readonly RefusedField[]): BadRequestException {
  return new BadRequestException(refusedFields(400, 'Bad Request', errors));
}

/** What an exception answers that names fields. */
export function refusedFields(
  statusCode: number,
  error: string,
  errors: readonly RefusedField[],
): object {
  return {
    statusCode,
    error,
    message: errors.map(({ field, reason }) => `${field} ${reason}`),
    errors,
  };
}
