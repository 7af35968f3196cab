import { HttpException, InternalServerErrorException } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import { isObject } from '../../common/objects.js';
import type { HeaderResponse } from './header-response.js';
import { setPrivateHeaders } from './private-response.js';
import type { RefusedField } from './errors.js';
import { type ExplainedApi, problemAddress, type RoutedRequest } from './problem-address.js';
import { problemCode, type ProblemCode } from './problem-codes.js';

/** The body of every error response: RFC 9457, with the code and the refused fields beside it. */
export interface Problem {
  /** The address of the text that explains {@link code}. */
  readonly type: string;
  readonly code: ProblemCode;
  /** The words of the status. */
  readonly title: string;
  readonly status: number;
  /** The fault of this very request. */
  readonly detail: string;
  /** What the detail names, for translations. */
  readonly data?: Readonly<Record<string, number>>;
  /** The refused fields, where some are. */
  readonly errors?: readonly RefusedField[];
}

/** @param exception an error that is not an `HttpException` becomes a 500 that tells nothing of it */
export function problemOf(exception: unknown, api: ExplainedApi, request: RoutedRequest): Problem {
  const known =
    exception instanceof HttpException
      ? exception
      : new InternalServerErrorException('Internal server error');
  const response = known.getResponse();
  // Nest's shape, with `code` and `errors` where this API has thrown it.
  const {
    message = known.message,
    errors,
    data,
    code: given,
  } = (typeof response === 'object' ? response : {}) as Readonly<Record<string, unknown>>;
  const status = known.getStatus();
  const code = problemCode(status, given);
  return {
    type: problemAddress(code, api, request),
    code,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: String(Array.isArray(message) ? message.join('; ') : message),
    ...(isObject(data) && { data: data as Readonly<Record<string, number>> }),
    ...(Array.isArray(errors) ? { errors: errors as readonly RefusedField[] } : {}),
  };
}

export function sendProblem(response: HeaderResponse, problem: Problem): void {
  setPrivateHeaders(response);
  response
    .status(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
}
