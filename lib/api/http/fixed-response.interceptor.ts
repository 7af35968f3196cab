import { type CallHandler, type ExecutionContext, type NestInterceptor, Res } from '@nestjs/common';
import { mergeMap, type Observable } from 'rxjs';
import type { HeaderResponse } from '../problems/header-response.js';

const KEY = 'thorn:fixed-response';
const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Marks a handler whose response has a shape that others rely on: a specification, or the command `thorn`. The body is
 * sent as the handler returns it, whatever interceptors the application has.
 *
 * @param mediaType of a handler that returns a text. Default: what it returns is sent as JSON
 */
export function FixedResponse(mediaType?: string): MethodDecorator {
  return (prototype, name) => {
    const handler = (prototype as Readonly<Record<typeof name, (...args: unknown[]) => unknown>>)[
      name
    ]!;
    Reflect.defineMetadata(KEY, mediaType ?? JSON_TYPE, handler);
    // With a parameter for the response, Nest leaves sending to the handler. It comes after all declared ones.
    Res()(prototype, name, handler.length);
  };
}

/** Sends the bodies of {@link FixedResponse} before an interceptor of the application can wrap them. */
export class FixedResponseInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const type = Reflect.getMetadata(KEY, context.getHandler()) as string | undefined;
    if (type === undefined) return next.handle();
    const response = context.switchToHttp().getResponse<HeaderResponse>();
    return next.handle().pipe(
      mergeMap(async (body: unknown) => {
        response
          .header('Content-Type', type)
          .send(type === JSON_TYPE ? JSON.stringify(body) : String(body));
        return body;
      }),
    );
  }
}
