import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { FaultLog } from '../../common/index.js';
import type { HeaderResponse } from './private-response.js';
import { type ExplainedApi, problemOf, sendProblem } from './problem.js';

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
    sendProblem(
      response,
      problemOf(
        exception,
        this.api,
        http.getRequest<{ readonly originalUrl?: string }>().originalUrl,
      ),
    );
  }
}
