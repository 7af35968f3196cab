import { type CanActivate, type ExecutionContext, PayloadTooLargeException } from '@nestjs/common';
import type { ApiRequest } from './api-options.js';
import { badRequest } from './bad-request.js';

const WITH_BODY = new Set(['POST', 'PATCH', 'PUT']);

/**
 * Lets bodies in only when they are declared as JSON, and not larger than allowed. Both platforms parse HTML forms as
 * well, and a browser posts a form to any site with the user's cookies, without asking: a page elsewhere could subscribe
 * in the user's name.
 */
export class JsonBodyGuard implements CanActivate {
  constructor(private readonly maxBytes: number) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context
      .switchToHttp()
      .getRequest<ApiRequest & { readonly method: string; readonly body?: unknown }>();
    if (!WITH_BODY.has(request.method)) return true;
    const type = String(request.headers['content-type'] ?? '');
    if (!/^application\/json\s*(?:;|$)/i.test(type)) {
      throw badRequest([
        { field: 'body', reason: 'must be JSON: send the header Content-Type: application/json' },
      ]);
    }
    if (bytesOf(request) > this.maxBytes) {
      throw new PayloadTooLargeException(`The body must have at most ${this.maxBytes} bytes`);
    }
    return true;
  }
}

/** Of a body that came in chunks nobody said the length: what was parsed of it tells. */
function bytesOf({ headers, body }: ApiRequest & { readonly body?: unknown }): number {
  const declared = headers['content-length'];
  if (declared !== undefined) return Number(declared);
  return body === undefined ? 0 : Buffer.byteLength(JSON.stringify(body));
}
