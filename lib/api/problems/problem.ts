import { HttpException } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import type { InvalidInputError } from '../../errors/index.js';
import { PROBLEMS, type ProblemCode } from './problem-codes.js';

/**
 * A refused field: its name as the caller spelled it, and the reason as the rest of a sentence that begins with the
 * name, such as `must be a text`.
 */
export interface RefusedField {
  readonly field: string;
  readonly reason: string;
  /** A stable word for the reason, for translations. Default `invalid`. */
  readonly code?: string;
  /** The values in the reason, for translations: limits, patterns and paths. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/**
 * Describes a field that a service refuses. The `reason` in the data of the error becomes the code, by which programs
 * decide.
 */
export function refusedField(error: InvalidInputError, name: string): RefusedField {
  const { reason: code, field: _, ...data } = error.data;
  return {
    field: name,
    reason: error.reason,
    ...(typeof code === 'string' && { code }),
    ...(Object.keys(data).length > 0 && { data }),
  };
}

/**
 * Makes an exception in the shape of Nest's exceptions. It also has the code and the refused fields, for programs and
 * for the application's own exception filters.
 *
 * @param detail the text of the problem, or the refused fields
 * @param data the values in the detail, for translations
 */
export function problem(
  code: Exclude<ProblemCode, 'refused'>,
  detail: string | readonly RefusedField[],
  data?: Readonly<Record<string, number>>,
): HttpException {
  const [statusCode] = PROBLEMS[code];
  const error = STATUS_CODES[statusCode];
  return new HttpException(
    typeof detail === 'string'
      ? { statusCode, error, code, message: detail, ...(data && { data }) }
      : {
          statusCode,
          error,
          code,
          message: detail.map(({ field, reason }) => `${field} ${reason}`),
          errors: detail.map((one) => ({ code: 'invalid', ...one })),
        },
    statusCode,
  );
}

export function badRequest(errors: readonly RefusedField[]): HttpException {
  return problem('invalid-request', errors);
}

/** @throws a 404 for a missing value. The answer does not show whether the value does not exist or belongs to another owner */
export function orNotFound<Value>(value: Value | null | undefined, what = 'subscriber'): Value {
  if (value !== null && value !== undefined) return value;
  throw problem('not-found', `There is no ${what} with this ${what === 'event' ? 'name' : 'id'}`);
}
