import { type CallHandler, type ExecutionContext, type NestInterceptor, Res } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { type Observable, tap } from 'rxjs';
import type { HeaderResponse } from '../problems/private-response.js';

/** Lets {@link FixedResponseInterceptor} send the values that the handlers of a controller return. */
export function FixedResponses(): ClassDecorator {
  return (controller) => {
    const prototype = controller.prototype as Readonly<
      Record<string, (...args: never[]) => unknown>
    >;
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const handler = prototype[name]!;
      if (name === 'constructor' || !Reflect.hasMetadata(PATH_METADATA, handler)) continue;
      // When a handler has a parameter for the response, Nest does not send the result. This parameter comes after all
      // declared parameters.
      Res()(prototype, name, handler.length);
    }
  };
}

/**
 * Sends the value that a handler returns: a text as it is, any other value as JSON. An interceptor that the application
 * binds globally may wrap all responses, for example in `{ data: … }`. The readers of this API need the documented
 * shape: the page, the command `thorn`, and clients made from the OpenAPI document.
 */
export class FixedResponseInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const response = context.switchToHttp().getResponse<HeaderResponse>();
    let body: unknown;
    return next.handle().pipe(
      tap({
        next: (value) => (body = value),
        // The response is sent on completion, after the interceptors of the application, which may set headers.
        complete: () => sendBody(response, body),
      }),
    );
  }
}

function sendBody(response: HeaderResponse, body: unknown): void {
  if (body === undefined || typeof body === 'string') {
    response.send(body);
    return;
  }
  response.header('Content-Type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}
