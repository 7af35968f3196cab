import { PATH_METADATA } from '@nestjs/common/constants.js';
import { methodsOf } from './route-mark.js';

interface RouterOptions {
  readonly ignoreTrailingSlash?: boolean;
}

/** What Fastify was told of slashes. Version 5 moves its router's options into a group of their own. */
export interface SlashSettings {
  readonly initialConfig?: RouterOptions & { readonly routerOptions?: RouterOptions };
}

/**
 * Lets Fastify accept a slash at the end of the routes of controllers, as Express does. With `ignoreTrailingSlash` it does so
 * itself, and refuses to have a route with and without one. Call it before the routes are registered.
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
    // Another application may have had the same classes.
    const [path] = [Reflect.getMetadata(PATH_METADATA, handler) as string | string[]].flat();
    // Nest strips one slash from the end of a path: two of them leave one.
    const paths =
      fastify === undefined || isEither ? path : [path, `${path!.replace(/\/$/, '')}//`];
    Reflect.defineMetadata(PATH_METADATA, paths, handler);
  }
}
