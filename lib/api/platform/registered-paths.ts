import type { OnModuleInit } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { ExplainedApi } from '../problems/problem.filter.js';
import { unreadBodyHandler } from '../problems/unread-body.js';
import { expressMark, fastifyMark, type RouteMark } from './route-mark.js';
import { acceptTrailingSlashes, type SlashSettings } from './trailing-slashes.js';

/** The part of an Express application that is used. */
interface Express {
  readonly router?: {
    readonly stack?: readonly {
      readonly route?: {
        readonly path?: unknown;
        readonly stack?: readonly { readonly handle?: unknown }[];
      };
    }[];
  };
}

/** The part of a Fastify instance that is used. */
interface Fastify extends SlashSettings {
  addHook(
    name: 'onRoute',
    hook: (route: { readonly url: string; readonly config?: unknown }) => void,
  ): unknown;
}

/** The paths of this library's APIs and pages, as the platform registered them. */
export class RegisteredPaths implements OnModuleInit {
  readonly #apis = new Set<string>();
  readonly #pages = new Set<string>();

  /**
   * @param controllers the controllers of this library
   * @param explained the APIs that answer problems
   */
  constructor(
    private readonly host: HttpAdapterHost,
    controllers: readonly object[],
    private readonly explained: readonly ExplainedApi[],
  ) {
    // The listener is added before the routes are registered, because Fastify reports each new route and has no list of them.
    host.init$.subscribe(() => {
      const fastify = this.#platform() === 'fastify' ? this.#instance<Fastify>() : undefined;
      acceptTrailingSlashes(controllers, fastify);
      fastify?.addHook('onRoute', ({ url, config }) => {
        this.#add(url, fastifyMark(config));
      });
    });
  }

  /** The paths of the REST APIs, with the prefixes of the application. Empty for an application without HTTP. */
  get apis(): readonly string[] {
    return [...this.#apis].sort();
  }

  /** The paths of pages, with the prefixes of the application. Empty for an application without HTTP. */
  get pages(): readonly string[] {
    return [...this.#pages].sort();
  }

  /** Nest calls this when all routes are registered, and before its own handler of errors is. */
  onModuleInit(): void {
    if (this.#platform() !== 'express') return;
    for (const { route } of this.#instance<Express>().router?.stack ?? []) {
      if (typeof route?.path !== 'string') continue;
      for (const { handle } of route.stack ?? []) this.#add(route.path, expressMark(handle));
    }
    this.host.httpAdapter.use(unreadBodyHandler(() => this.apis, this.explained));
  }

  #add(route: string, mark: RouteMark | undefined): void {
    if (mark === undefined) return;
    const path = route.replace(/\/+$/, '');
    const end = `${path}/`.lastIndexOf(`/${mark.api}/`);
    if (end === -1) return;
    (mark.isPage ? this.#pages : this.#apis).add(path.slice(0, end + mark.api.length + 1));
  }

  #platform(): string | undefined {
    // An application without HTTP has no adapter, although the type says that it has one.
    const adapter: HttpAdapterHost['httpAdapter'] | null | undefined = this.host.httpAdapter;
    return adapter?.getType?.();
  }

  #instance<Instance>(): Instance {
    return this.host.httpAdapter.getInstance<Instance>();
  }
}
