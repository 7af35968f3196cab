import 'reflect-metadata';

const KEY = 'thorn:api-route';
/** The key of `RouteConfig()` in @nestjs/platform-fastify, which is an optional peer: a package must not import it. */
const FASTIFY_CONFIG = '__fastify_route_config__';

/** The facts about a route that {@link MarkRoutes} stores. */
export interface RouteMark {
  /** The path of the API that the route belongs to, without prefixes of the application. */
  readonly api: string;
  /** True: the route takes the tokens of links to the page. */
  readonly portal?: boolean;
  /** True: the route belongs to the page. */
  readonly isPage?: true;
}

/**
 * Marks all handlers of a controller. Nest copies the metadata of a handler to the function that it gives the platform,
 * so that the routes of this library can be told from the application's own in the platform's router.
 */
export function MarkRoutes(mark: RouteMark): ClassDecorator {
  return (controller) => {
    for (const handler of methodsOf(controller)) {
      Reflect.defineMetadata(KEY, mark, handler);
      Reflect.defineMetadata(FASTIFY_CONFIG, { [KEY]: mark }, handler);
    }
  };
}

export function methodsOf(controller: object): readonly Function[] {
  const { prototype } = controller as { readonly prototype: object };
  const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(prototype);
  return Object.values(methods).flatMap(({ value }: PropertyDescriptor) =>
    typeof value === 'function' ? (value as Function) : [],
  );
}

/** Tells whether a handler of a controller takes the tokens of links to the page. */
export function takesPortalTokens(handler: object): boolean {
  return (Reflect.getMetadata(KEY, handler) as RouteMark | undefined)?.portal === true;
}

/** Returns the mark of a controller's routes, or undefined for the application's own controllers. */
export function controllerMark(controller: object): RouteMark | undefined {
  return methodsOf(controller)
    .map(expressMark)
    .find((mark) => mark !== undefined);
}

/** Returns the mark of a route's function on Express, or undefined for the application's own routes. */
export function expressMark(handler: unknown): RouteMark | undefined {
  return typeof handler === 'function'
    ? (Reflect.getMetadata(KEY, handler) as RouteMark | undefined)
    : undefined;
}

/** Returns the mark of a route's configuration on Fastify, or undefined for the application's own routes. */
export function fastifyMark(config: unknown): RouteMark | undefined {
  return (config as Readonly<Record<string, RouteMark>> | undefined)?.[KEY];
}
