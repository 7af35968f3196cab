import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import type { RefusedField } from './errors.js';

/** The body of every answer that is an error: RFC 9457, with the refused fields beside it. */
export interface Problem {
  readonly type: 'about:blank';
  /** The words of the status. */
  readonly title: string;
  readonly status: number;
  /** What is wrong with this very request. */
  readonly detail: string;
  /** The refused fields, where some are. */
  readonly errors?: readonly RefusedField[];
}

/** What both platforms' responses can do. */
interface ProblemResponse {
  status(code: number): { header(name: string, value: string): { send(body: string): unknown } };
}

/**
 * Answers the exceptions of the API's routes as problems. Errors that are no HTTP exceptions are bugs or outages, and
 * stay with the application's own filters.
 */
@Catch(HttpException)
export class ProblemFilter implements ExceptionFilter<HttpException> {
  catch(exception: HttpException, host: ArgumentsHost): void {
    const problem = problemOf(exception);
    host
      .switchToHttp()
      .getResponse<ProblemResponse>()
      .status(problem.status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .send(JSON.stringify(problem));
  }
}

function problemOf(exception: HttpException): Problem {
  const status = exception.getStatus();
  const answer = exception.getResponse();
  const { message, errors } = (typeof answer === 'object' ? answer : {}) as {
    readonly message?: unknown;
    readonly errors?: readonly RefusedField[];
  };
  const detail = Array.isArray(message) ? message.join('; ') : (message ?? exception.message);
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: String(detail),
    ...(Array.isArray(errors) ? { errors } : {}),
  };
}
