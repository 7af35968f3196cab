import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { catchError, type Observable } from 'rxjs';
import { CursorExpiredError } from '../../dispatch/index.js';
import { InvalidInputError, ThornConfigurationError } from '../../errors/index.js';
import {
  LimitReachedError,
  SubscribersUnavailableError,
  TableLockedError,
} from '../../subscriber/index.js';
import { badRequest, problem, refusedField } from '../problems/problem.js';
import { nameAsSent } from './body-fields.js';

/**
 * Turns the errors of services into HTTP exceptions: a wrong value into a 400, a reached limit into a 409, a cursor
 * that is too old into a 410, and a delivery log or history that the application does not keep into a 501. This is an
 * interceptor and not a filter, so that the application's own exception filters can shape these answers like all
 * others.
 */
export class ServiceErrorsInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) => {
        const { body } = context.switchToHttp().getRequest<{ body?: unknown }>();
        throw answerTo(error, body);
      }),
    );
  }
}

function answerTo(error: unknown, body: unknown): unknown {
  if (error instanceof InvalidInputError) {
    return badRequest(error.all.map((one) => refusedField(one, nameAsSent(one.field, body))));
  }
  if (error instanceof LimitReachedError) {
    const { limit } = error;
    const reason = `must be on another host: there are ${limit} subscribers on this one already`;
    return error.field === 'url'
      ? problem('host-limit', [{ field: 'url', reason, code: 'host-limit', data: { limit } }])
      : problem('subscriber-limit', error.message, { limit });
  }
  if (error instanceof CursorExpiredError) return problem('cursor-expired', error.message);
  if (error instanceof ThornConfigurationError) {
    if (error.code === 'THORN_HISTORY_MISSING') {
      return problem('no-history', 'The application keeps no history of events');
    }
    return problem('no-delivery-log', 'The application keeps no delivery log');
  }
  if (error instanceof SubscribersUnavailableError) {
    return problem('unavailable', 'The subscribers cannot be read now: try again later');
  }
  if (error instanceof TableLockedError) {
    return problem(
      'unavailable',
      'A transaction keeps the subscriber from being stored: try again later',
    );
  }
  return error;
}
