import type { OnModuleInit } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { expressMark, fastifyMark, type RouteMark } from './route-mark.js';
import { acceptTrailingSlashes, type SlashSettings } from './trailing-slashes.js';

/** As much of an Express application as is used. */
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

/** As much of a Fastify instance as is used. */
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

  /** @param controllers of this library */
  constructor(
    private readonly host: HttpAdapterHost,
    controllers: readonly object[],
  ) {
    // Before the routes are registered: Fastify tells of each, and has no list of them.
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

  /** The paths of pages, likewise. */
  get pages(): readonly string[] {
    return [...this.#pages].sort();
  }

  /** Nest calls this when all routes are registered. */
  onModuleInit(): void {
    if (this.#platform() !== 'express') return;
    for (const { route } of this.#instance<Express>().router?.stack ?? []) {
      if (typeof route?.path !== 'string') continue;
      for (const { handle } of route.stack ?? []) this.#add(route.path, expressMark(handle));
    }
  }

  #add(route: string, mark: RouteMark | undefined): void {
    if (mark === undefined) return;
    const path = route.replace(/\/+$/, '');
    const end = `${path}/`.lastIndexOf(`/${mark.api}/`);
    if (end === -1) return;
    (mark.isPage ? this.#pages : this.#apis).add(path.slice(0, end + mark.api.length + 1));
  }

  #platform(): string | undefined {
    // An application without HTTP has no adapter, whatever the type says.
    const adapter: HttpAdapterHost['httpAdapter'] | null | undefined = this.host.httpAdapter;
    return adapter?.getType?.();
  }

  #instance<Instance>(): Instance {
    return this.host.httpAdapter.getInstance<Instance>();
  }
}
