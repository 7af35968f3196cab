import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { catchError, type Observable } from 'rxjs';
import { InvalidInputError } from '../errors/index.js';
import { badRequest } from './bad-request.js';
import { asSpelled } from './field-names.js';

/**
 * Turns refusals into 400s. An interceptor and not a filter, so that the application's own exception filters shape this
 * answer as they shape every other.
 */
export class InvalidInputInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) => {
        if (!(error instanceof InvalidInputError)) throw error;
        const { body } = context.switchToHttp().getRequest<{ body?: unknown }>();
        throw badRequest([{ field: asSpelled(error.field, body), reason: error.reason }]);
      }),
    );
  }
}
