import { HttpException, InternalServerErrorException } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import { isObject } from '../../common/objects.js';
import { type HeaderResponse, setPrivateHeaders } from './private-response.js';
import type { RefusedField } from './errors.js';
import { problemCode, type ProblemCode } from './problem-codes.js';

/** The API whose routes a filter answers for, and where that API explains its problems. */
export interface ExplainedApi {
  /** The path of the filter's own routes, without prefixes of the application. */
  readonly path: string;
  /** The path of the API that has the texts. Default: `path`. */
  readonly explainedBy?: string;
  /** Put before the path, as the application says it. */
  readonly baseUrl?: string;
}

/** The body of every error response: RFC 9457, with the code and the refused fields beside it. */
export interface Problem {
  /** The address of the text that explains {@link code}, in the application itself. */
  readonly type: string;
  readonly code: ProblemCode;
  /** The words of the status. */
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly data?: Readonly<Record<string, number>>;
  readonly errors?: readonly RefusedField[];
}

/** @param exception an error that is not an `HttpException` becomes a 500 that tells nothing of it */
export function problemOf(
  exception: unknown,
  { path, explainedBy = path, baseUrl = '' }: ExplainedApi,
  target: string | undefined,
): Problem {
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
    type: `${baseUrl}${prefixOf(path, target)}/${explainedBy}/problems/${code}`,
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

/** What the application and its proxies put before the path of an API; empty where the target does not show it. */
function prefixOf(path: string, target = ''): string {
  // With one slash at the beginning: //example.com would be another host.
  const [asked] = target.replace(/^\/+/, '/').split(/[?#]/, 1);
  // The last one, as a prefix may have the same name. Express matches routes in any case.
  const at = `${asked}/`.toLowerCase().lastIndexOf(`/${path}/`.toLowerCase());
  return at === -1 || !asked!.startsWith('/') ? '' : asked!.slice(0, at);
}
