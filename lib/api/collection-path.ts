import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/**
 * The handler parameter that holds the path under which the caller reached the list of subscribers, whatever prefixes
 * the application put before it: on the routes of one subscriber, the last segment is its id.
 */
export const CollectionPath = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<{
    readonly originalUrl: string;
    readonly params?: Readonly<Record<string, string>>;
  }>();
  // Parsed against a base, so that a target such as //example.com/hooks cannot become the URL of another host.
  const path = new URL(request.originalUrl, 'http://localhost').pathname.replace(/\/+$/, '');
  return request.params?.['id'] === undefined ? path : path.slice(0, path.lastIndexOf('/'));
});
