import type { HttpAdapterHost } from '@nestjs/core';

// Nest strips one slash from the end of a path: two of them leave one.
const LIST = ['', '//'] as const;
const ONE = ['/:id', '/:id//'] as const;

/**
 * The paths of the API's routes, as the router is given them. It reads the lists when the application starts, and by
 * then they hold what the platform needs to take a slash at the end: Express, and Fastify with `ignoreTrailingSlash`,
 * take `/hooks` and `/hooks/` as one, and the latter refuses to have both.
 */
export class RoutePaths {
  readonly list: string[] = [LIST[0]];
  readonly one: string[] = [ONE[0]];

  /** Call it from the controller's constructor: routes are registered later than the adapter is known. */
  adaptTo(host: HttpAdapterHost): void {
    host.init$.subscribe(() => {
      const both = tellsSlashesApart(host);
      this.list.splice(0, 2, ...(both ? LIST : LIST.slice(0, 1)));
      this.one.splice(0, 2, ...(both ? ONE : ONE.slice(0, 1)));
    });
  }
}

function tellsSlashesApart(host: HttpAdapterHost): boolean {
  // An application without HTTP has none, whatever the type says.
  const adapter: HttpAdapterHost['httpAdapter'] | null | undefined = host.httpAdapter;
  if (adapter?.getType() !== 'fastify') return false;
  const { initialConfig = {} } = adapter.getInstance<{ initialConfig?: FastifyConfig }>();
  return !(initialConfig.ignoreTrailingSlash || initialConfig.routerOptions?.ignoreTrailingSlash);
}

interface RouterOptions {
  readonly ignoreTrailingSlash?: boolean;
}

/** Fastify 5 moves its router's options into a group of their own. */
interface FastifyConfig extends RouterOptions {
  readonly routerOptions?: RouterOptions;
}
