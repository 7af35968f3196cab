import { isObject } from '../../common/objects.js';
import type { HeaderResponse } from './private-response.js';
import { badRequest } from './problem.js';
import { answerProblem, type AskedRequest, type ExplainedApi } from './problem.filter.js';

/**
 * Makes the handler for bodies that Express cannot parse: text that is not JSON, and JSON that is not an object or a list. Express
 * parses before it looks for a route, so that no filter of a route sees its error, whose text quotes the body.
 *
 * @param paths returns the paths of this library's APIs, with the prefixes of the application
 * @param explained the APIs that answer problems; for others the application's filters get the exception
 */
export function unreadBodyHandler(
  paths: () => readonly string[],
  explained: readonly ExplainedApi[],
) {
  return (
    error: unknown,
    request: AskedRequest,
    response: HeaderResponse,
    next: (error: unknown) => void,
  ): void => {
    const path = paths().find((one) => isBelow(request.originalUrl, one));
    if (path === undefined || !isObject(error) || error['type'] !== 'entity.parse.failed') {
      next(error);
      return;
    }
    const refused = badRequest([{ field: 'body', reason: 'must be a JSON object' }]);
    const api = explained.find((one) => path.endsWith(`/${one.path}`));
    if (api === undefined) next(refused);
    else answerProblem(refused, api, request, response);
  };
}

/** Upper and lower case are ignored, because Express ignores them. */
function isBelow(target = '', path: string): boolean {
  const [asked] = target.split(/[?#]/, 1);
  return `${asked}/`.toLowerCase().startsWith(`${path}/`.toLowerCase());
}
