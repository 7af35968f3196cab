import { type CallHandler, type ExecutionContext, type NestInterceptor, Res } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { type Observable, tap } from 'rxjs';
import type { HeaderResponse } from '../problems/private-response.js';

/** Leaves it to {@link FixedResponseInterceptor} to send what the handlers of a controller return. */
export function FixedResponses(): ClassDecorator {
  return (controller) => {
    const prototype = controller.prototype as Readonly<
      Record<string, (...args: never[]) => unknown>
    >;
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const handler = prototype[name]!;
      if (name === 'constructor' || !Reflect.hasMetadata(PATH_METADATA, handler)) continue;
      // With a parameter for the response, Nest leaves sending to the handler. It comes after all declared ones.
      Res()(prototype, name, handler.length);
    }
  };
}

/**
 * Sends what a handler returns, as it is: a text, or any other value as JSON. An interceptor that the application binds
 * globally may wrap the responses of all routes, and every reader of these relies on their shape: the page, the command
 * `thorn`, and clients made from the OpenAPI document.
 */
export class FixedResponseInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const response = context.switchToHttp().getResponse<HeaderResponse>();
    let body: unknown;
    return next.handle().pipe(
      tap({
        next: (value) => (body = value),
        // By now, interceptors of the application have had the value, and may have set headers.
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
