import { BadRequestException, NotFoundException } from '@nestjs/common';

/**
 * The value, or the answer to an id that is not within the caller's scope: the same whether there is no such thing or it
 * is another owner's.
 *
 * @param what for example `subscriber`
 */
export function orNotFound<Value>(value: Value | null | undefined, what = 'subscriber'): Value {
  if (value !== null && value !== undefined) return value;
  throw new NotFoundException(`There is no ${what} with this ${what === 'event' ? 'name' : 'id'}`);
}

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
