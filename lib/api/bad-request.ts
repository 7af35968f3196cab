import { BadRequestException } from '@nestjs/common';

/** One refused field: its name as the caller spelled it, and a sentence part that follows the name. */
export interface RefusedField {
  readonly field: string;
  readonly reason: string;
}

/** The one shape of every 400 of the API: Nest's own, and beside it each field with its reason, for programs. */
export function badRequest(errors: readonly RefusedField[]): BadRequestException {
  return new BadRequestException({
    statusCode: 400,
    error: 'Bad Request',
    message: errors.map(({ field, reason }) => `${field} ${reason}`),
    errors,
  });
}
