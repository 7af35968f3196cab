import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { ThornConfigurationError } from '../errors/index.js';

/** Whoever a guard found behind a request. Declaration merging can add to it. */
export interface ApiUser {
  readonly id: string;
}

/**
 * What `owner` may read of a request: the platform's own request object, with the `user` that guards usually leave on
 * it. Annotate the parameter as `ApiRequest & { tenant: string }` to read something else.
 */
export interface ApiRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly user: ApiUser;
}

/**
 * The REST API for subscribers. There is none unless these options are given.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ api: { guards: [AuthGuard], owner: (request) => request.user.id } });
 * ```
 */
export interface ThornApiOptions {
  /** Where the routes are, below a global prefix if there is one. Letters, digits, `-`, `_`, `.`, `~`. Default `hooks`. */
  readonly path?: string;

  /** Guards that every route passes, in this order. They are constructed in Thorn's module: see {@link imports}. */
  readonly guards?: readonly Type<CanActivate>[];

  /** Modules that export what the guards inject. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;

  /**
   * Whose subscribers the caller may see and change: the id of its user, called after the guards. `null` means the
   * application's own subscribers, which receive every match, and has to be returned on purpose: `undefined` and an
   * empty text are answered with 401, anything else that is no text with 500 and a line in the log.
   */
  owner(request: ApiRequest): string | null | Promise<string | null>;

  /** Says that the routes are meant to have no guards of their own, for example because a global one protects them. */
  readonly unprotected?: true;

  /**
   * Put before the path of a subscriber's own URL (`self` and `Location`), for example `https://api.example.com`.
   * Default: none, so that those URLs begin with `/`, which is right behind any proxy.
   */
  readonly baseUrl?: string;
}

/** {@link ThornApiOptions} with their defaults, checked. */
export interface ApiSettings {
  readonly path: string;
  readonly guards: readonly Type<CanActivate>[];
  readonly owner: ThornApiOptions['owner'];
  readonly baseUrl: string;
}

const PATH = /^\/?[\w.~-]+(?:\/[\w.~-]+)*$/;

/** @throws {@link ThornConfigurationError} naming the option and its fix */
export function apiSettings(options: ThornApiOptions): ApiSettings {
  checkNames(options);
  const { path = 'hooks', guards = [], owner, baseUrl } = options;
  if (typeof path !== 'string' || !PATH.test(path)) {
    throw new ThornConfigurationError(
      `The option api.path must be a plain path such as 'hooks' or 'account/hooks', without parameters, wildcards or a ` +
        `slash at its end, but is ${JSON.stringify(path)}.`,
      { path },
    );
  }
  checkGuards(guards, options.unprotected);
  if (options.imports !== undefined && !Array.isArray(options.imports)) {
    throw new ThornConfigurationError('The option api.imports must be a list of modules.');
  }
  if (typeof owner !== 'function') {
    throw new ThornConfigurationError(
      'The option api.owner is missing. Say whose subscribers a caller may see, for example ' +
        'owner: (request) => request.user.id, or owner: () => null for the application alone.',
    );
  }
  return {
    path: path.replace(/^\//, ''),
    guards,
    owner: (request) => owner.call(options, request),
    baseUrl: checkedBaseUrl(baseUrl),
  };
}

const KNOWN: Readonly<Record<keyof ThornApiOptions, true>> = {
  path: true,
  guards: true,
  imports: true,
  owner: true,
  unprotected: true,
  baseUrl: true,
};

function checkNames(options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ThornConfigurationError(
      'The option api must be an object with guards and owner; leave it out for no API.',
    );
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(KNOWN, name));
  if (unknown !== undefined) {
    throw new ThornConfigurationError(
      `The option api.${unknown} is unknown; known are ${Object.keys(KNOWN).join(', ')}.`,
      { option: `api.${unknown}` },
    );
  }
}

function checkGuards(guards: unknown, unprotected: unknown): void {
  if (!Array.isArray(guards) || guards.some((guard) => typeof guard !== 'function')) {
    throw new ThornConfigurationError(
      'The option api.guards must be a list of guard classes, for example [AuthGuard].',
    );
  }
  if (unprotected !== undefined && unprotected !== true) {
    throw new ThornConfigurationError('The option api.unprotected is either true or left out.');
  }
  if (guards.length === 0 && unprotected === undefined) {
    throw new ThornConfigurationError(
      'The REST API has no guards, so that anybody could subscribe. Give api.guards, for example [AuthGuard], or say ' +
        'api.unprotected: true if something else protects it.',
    );
  }
  if (guards.length > 0 && unprotected === true) {
    throw new ThornConfigurationError(
      'The options api.guards and api.unprotected contradict each other: leave one of them out.',
    );
  }
}

function checkedBaseUrl(baseUrl: string | undefined): string {
  if (baseUrl === undefined) return '';
  const url = typeof baseUrl === 'string' && URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new ThornConfigurationError(
      'The option api.baseUrl must be an http or https URL without a query, for example https://api.example.com.',
    );
  }
  return baseUrl.replace(/\/+$/, '');
}
