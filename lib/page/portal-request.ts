import type { ExecutionContext } from '@nestjs/common';
import { showsPortalToken, takesPortalTokens } from '../api/index.js';

/**
 * Tells a guard that the application binds with `APP_GUARD` to leave a request to Thorn: it is for the REST API and shows
 * the token of a session. Thorn itself then checks the token, and answers 401 unless it is valid.
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
