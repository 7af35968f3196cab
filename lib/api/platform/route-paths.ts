import type { HttpAdapterHost } from '@nestjs/core';

/**
 * The paths of the API's routes, as the router is given them. It reads the lists when the application starts, and by
 * then they hold what the platform needs to take a slash at the end: Express, and Fastify with `ignoreTrailingSlash`,
 * take `/hooks` and `/hooks/` as one, and the latter refuses to have both.
 */
export class RoutePaths {
  readonly #lists: string[][] = [];

  /** @param path below the API's own, for example `/:id`; empty for that itself */
  of(path: string): string[] {
    const list = [path];
    this.#lists.push(list);
    return list;
  }

  /** Call it from a controller's constructor: routes are registered later than the adapter is known. */
  adaptTo(host: HttpAdapterHost): void {
    host.init$.subscribe(() => {
      const both = distinguishesTrailingSlashes(host);
      // Nest strips one slash from the end of a path: two of them leave one.
      for (const list of this.#lists) {
        list.splice(1, 1, ...(both ? [`${list[0]!}//`] : []));
      }
    });
  }
}

function distinguishesTrailingSlashes(host: HttpAdapterHost): boolean {
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
