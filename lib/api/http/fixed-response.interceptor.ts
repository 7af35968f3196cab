import { type CallHandler, type ExecutionContext, type NestInterceptor, Res } from '@nestjs/common';
import { mergeMap, type Observable } from 'rxjs';

const KEY = 'thorn:fixed-response';

interface SentResponse {
  header(name: string, value: string): { send(body: string): unknown };
}

/**
 * Marks a handler whose response has a shape that others rely on: a specification, or the command `thorn`. The body is
 * sent as the handler returns it, whatever interceptors the application has.
 */
export function FixedResponse(): MethodDecorator {
  return (prototype, name) => {
    const handler = (prototype as Readonly<Record<typeof name, (...args: unknown[]) => unknown>>)[
      name
    ]!;
    Reflect.defineMetadata(KEY, true, handler);
    // With a parameter for the response, Nest leaves sending to the handler. It comes after all declared ones.
    Res()(prototype, name, handler.length);
  };
}

/** Sends the bodies of {@link FixedResponse} before an interceptor of the application can wrap them. */
export class FixedResponseInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (Reflect.getMetadata(KEY, context.getHandler()) !== true) return next.handle();
    const response = context.switchToHttp().getResponse<SentResponse>();
    return next.handle().pipe(
      mergeMap(async (body: unknown) => {
        response
          .header('Content-Type', 'application/json; charset=utf-8')
          .send(JSON.stringify(body));
        return body;
      }),
    );
  }
}
