import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  InternalServerErrorException,
} from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import { FaultLog } from '../../common/index.js';
import { isObject } from '../../common/objects.js';
import { type HeaderResponse, setPrivateHeaders } from './private-response.js';
import type { RefusedField } from './problem.js';
import { problemCode, type ProblemCode } from './problem-codes.js';

/** The API to which a filter belongs, and the API that has the texts of its problems. */
export interface ExplainedApi {
  /** The path of the filter's own routes, without prefixes of the application. */
  readonly path: string;
  /** The path of the API that has the texts. Default: `path`. */
  readonly explainedBy?: string;
  /** The beginning of the URL, from the options of the application. */
  readonly baseUrl?: string;
}

/** The body of every error response: a problem of RFC 9457, with the code and the refused fields. */
interface Problem {
  /** The address of the text that explains {@link code}, in the application itself. */
  readonly type: string;
  readonly code: ProblemCode;
  /** The reason phrase of the status, such as `Not Found`. */
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly data?: Readonly<Record<string, number>>;
  readonly errors?: readonly RefusedField[];
}

/** @param exception an error that is not an `HttpException` becomes a 500 without details */
function problemOf(
  exception: unknown,
  { path, explainedBy = path, baseUrl = '' }: ExplainedApi,
  target: string | undefined,
): Problem {
  const known =
    exception instanceof HttpException
      ? exception
      : new InternalServerErrorException('Internal server error');
  const response = known.getResponse();
  // The shape of Nest's exceptions. Exceptions of this API also have `code` and `errors`.
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

function sendProblem(response: HeaderResponse, problem: Problem): void {
  setPrivateHeaders(response);
  response
    .status(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
}

/**
 * The prefix that the application and its proxies put before the path of an API. Empty when the target of the request
 * has no such prefix.
 */
function prefixOf(path: string, target = ''): string {
  // The target begins with one slash, because //example.com would be another host.
  const [asked] = target.replace(/^\/+/, '/').split(/[?#]/, 1);
  // The last occurrence counts, because a prefix may have the same name. Upper and lower case are ignored, because Express
  // ignores them.
  const at = `${asked}/`.toLowerCase().lastIndexOf(`/${path}/`.toLowerCase());
  return at === -1 || !asked!.startsWith('/') ? '' : asked!.slice(0, at);
}

/**
 * Answers the exceptions of the API's routes as problems. Errors that are not HTTP exceptions are bugs or outages. The
 * filter logs them, and the caller gets a 500 without details.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #faults = new FaultLog('ThornApi');

  constructor(private readonly api: ExplainedApi) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    if (!(exception instanceof HttpException)) {
      this.#faults.report('A request failed', exception);
    }
    const http = host.switchToHttp();
    const response = http.getResponse<HeaderResponse>();
    // The response is sent already: an interceptor of the application has failed after it.
    if (response.headersSent === true || response.sent === true) return;
    answerProblem(exception, this.api, http.getRequest<AskedRequest>(), response);
  }
}

/** The part of a request that problems look at. */
export interface AskedRequest {
  readonly originalUrl?: string;
}

/** Answers an exception as a problem. */
export function answerProblem(
  exception: unknown,
  api: ExplainedApi,
  { originalUrl }: AskedRequest,
  response: HeaderResponse,
): void {
  sendProblem(response, problemOf(exception, api, originalUrl));
}
