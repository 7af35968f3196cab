import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { problem } from '../problems/problem.js';

// The target of a request may be //example.com/hooks, which must not become the URL of another host.
const BASE = 'http://localhost';

/**
 * The handler parameter that holds the path under which the caller reached the list of subscribers, with all prefixes
 * that the application puts before it.
 *
 * @param below the number of segments that the route has below the list: 0 for the list itself, 1 for `/:id`
 */
export const CollectionPath = createParamDecorator((below: number, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<{ readonly originalUrl: string }>();
  return pathOf(request.originalUrl)
    .split('/')
    .slice(0, below === 0 ? undefined : -below)
    .join('/');
});

/** The path of a request's target, without slashes at its end. @throws a 400 for a target that is not a URL */
export function pathOf(target: string): string {
  if (URL.canParse(target, BASE)) return new URL(target, BASE).pathname.replace(/\/+$/, '');
  throw problem('invalid-request', 'The target of the request is not a URL: send the path alone');
}
