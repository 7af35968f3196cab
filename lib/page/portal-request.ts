import type { ExecutionContext } from '@nestjs/common';
import { showsPortalToken, takesPortalTokens } from '../api/index.js';

/**
 * Tells whether a guard of the application, bound with `APP_GUARD`, should let a request pass to Thorn: the request is
 * for the REST API and shows the token of a session. Thorn then checks the token, and answers 401 unless the token is
 * valid.
 *
 * @example
 * ```ts
 * if (isPortalRequest(context)) return true;
 * ```
 */
export function isPortalRequest(context: ExecutionContext): boolean {
  if (context.getType() !== 'http' || !takesPortalTokens(context.getHandler())) return false;
  return showsPortalToken(context.switchToHttp().getRequest());
}
