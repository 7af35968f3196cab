import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { ApiRequest } from './api-options.js';
import { badRequest } from './bad-request.js';

/**
 * Lets bodies in only when they are declared as JSON. Both platforms parse HTML forms as well, and a browser posts a
 * form to any site with the user's cookies, without asking: a page elsewhere could subscribe in the user's name.
 */
export class JsonBodyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<ApiRequest & { readonly method: string }>();
    if (request.method !== 'POST' && request.method !== 'PATCH') return true;
    const type = String(request.headers['content-type'] ?? '');
    if (/^application\/json\s*(?:;|$)/i.test(type)) return true;
    throw badRequest([
      { field: 'body', reason: 'must be JSON: send the header Content-Type: application/json' },
    ]);
  }
}
