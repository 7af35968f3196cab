import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/**
 * The handler parameter that holds the path under which the caller reached the list of subscribers, whatever prefixes
 * the application put before it.
 *
 * @param below how many segments the route has below that list: 0 for itself, 1 for `/:id`
 */
export const CollectionPath = createParamDecorator((below: number, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<{ readonly originalUrl: string }>();
  // Parsed against a base, so that a target such as //example.com/hooks cannot become the URL of another host.
  const path = new URL(request.originalUrl, 'http://localhost').pathname.replace(/\/+$/, '');
  return path
    .split('/')
    .slice(0, below === 0 ? undefined : -below)
    .join('/');
});
