import { PATH_METADATA } from '@nestjs/common/constants.js';
import { methodsOf } from './route-mark.js';

interface RouterOptions {
  readonly ignoreTrailingSlash?: boolean;
}

/** The options of Fastify about slashes. Version 5 has moved the options of the router into a group of their own. */
export interface SlashSettings {
  readonly initialConfig?: RouterOptions & { readonly routerOptions?: RouterOptions };
}

/**
 * Lets Fastify accept a slash at the end of the routes of controllers, as Express does. With `ignoreTrailingSlash`,
 * Fastify does so itself, and refuses a route that is registered with and without a slash. Call it before the routes
 * are registered.
 *
 * @param fastify undefined on other platforms
 */
export function acceptTrailingSlashes(
  controllers: readonly object[],
  fastify: SlashSettings | undefined,
): void {
  const { ignoreTrailingSlash, routerOptions } = fastify?.initialConfig ?? {};
  const isEither = ignoreTrailingSlash || routerOptions?.ignoreTrailingSlash;
  for (const handler of controllers.flatMap(methodsOf)) {
    // Another application in this process may have changed the same classes already.
    const [path] = [Reflect.getMetadata(PATH_METADATA, handler) as string | string[]].flat();
    // Nest strips one slash from the end of a path, so a path with two slashes keeps one.
    const paths =
      fastify === undefined || isEither ? path : [path, `${path!.replace(/\/$/, '')}//`];
    Reflect.defineMetadata(PATH_METADATA, paths, handler);
  }
}
