import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { isObject } from '../../common/objects.js';
import { OptionChecks } from '../../common/option-checks.js';
import type { SubscriberLimits } from '../../subscriber/index.js';
import { type ApiLimits, apiLimits } from './api-limits.js';

/**
 * The platform's own request object, with the `user` that guards usually leave on it. To read something else, annotate
 * the parameter of `owner` with the application's own request type, or with `{ user: { sub: string } }`.
 */
export interface ApiRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The user that a guard has left on the request. */
  readonly user: { readonly id: string | number | bigint };
}

/** The id of a user as `owner` returns it. Numbers are turned into text. */
export type ApiOwner = string | number | bigint | null | undefined;

/**
 * The REST API for subscribers. There is none unless these options are given.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ api: { guards: [AuthGuard], owner: (request) => request.user.id } });
 * ```
 */
export interface ThornApiOptions<Request extends object = ApiRequest> {
  /** The path of the routes, below a global prefix if there is one. Letters, digits, `-`, `_`, `.`, `~`. Default `hooks`. */
  readonly path?: string;

  /**
   * Guards that every route but the texts of problems passes, in this order. They are constructed in Thorn's module: see
   * {@link imports}.
   */
  readonly guards?: readonly Type<CanActivate>[];

  /** Modules that export what the guards inject. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;

  /**
   * Returns whose subscribers the caller may see and change: the id of the caller's user. Called after the guards. `null`
   * means the application's own subscribers, which receive every match. `undefined` and an empty text are answered with
   * 401, other values and errors with 500, an exception of Nest as it is. The parameter may have the application's own
   * type: `(request: { user: { sub: string } }) => request.user.sub`.
   */
  owner(request: Request): ApiOwner | Promise<ApiOwner>;

  /** Says that the routes are meant to have no guards of their own, for example because a global one protects them. */
  readonly unprotected?: true;

  /** The limits of one caller; see {@link ApiLimits} for the defaults. */
  readonly limits?: ApiLimits;

  /**
   * True: a new subscriber, and one that moves to another URL, receives nothing until its endpoint has shown that it
   * wants the webhooks, by echoing a token; see docs/rest/subscribers.md. Default false.
   */
  readonly challenge?: boolean;

  /**
   * True: receivers may show, change and end their own subscription at `<path>/self`, with `Hook-Subscription` and their
   * secret; the guards do not apply there. Default false.
   */
  readonly receivers?: boolean;

  /**
   * Names of query parameters that the application's guards read, for example `['api_key']`. Routes that take a query refuse
   * every parameter but these and their own. Default: none.
   */
  readonly queryParameters?: readonly string[];

  /**
   * The application's own metadata for the controllers, such as `@Public()`, `@SkipThrottle()` or `@ApiTags()`; see
   * {@link ApiDecorators}. Default: none.
   */
  readonly decorators?: ApiDecorators;

  /**
   * False: errors are thrown as Nest's exceptions, for the application's own exception filters. Default true: they are
   * answered as `application/problem+json` (RFC 9457).
   */
  readonly problems?: boolean;

  /**
   * Put before the path of a subscriber's own URL (`self` and `Location`) and of a problem's `type`, for example
   * `https://api.example.com`.
   * Default: none, so that those URLs begin with `/`, which is right behind any proxy.
   */
  readonly baseUrl?: string;
}

/** Decorators that the controllers of the REST API get, as if the application had written them above the classes. */
export interface ApiDecorators {
  /** For every controller of the API. */
  readonly all?: readonly ClassDecorator[];
  /**
   * For the controllers that callers without an account use: the public keys, the texts of problems, the links to
   * unsubscribe, and the routes of receivers.
   */
  readonly public?: readonly ClassDecorator[];
}

/** {@link ThornApiOptions} with their defaults, checked. */
export class ApiSettings {
  readonly path: string;
  readonly guards: readonly Type<CanActivate>[];
  readonly limits: Required<ApiLimits>;
  readonly challenge: boolean;
  readonly receivers: boolean;
  readonly problems: boolean;
  readonly queryParameters: readonly string[];
  readonly decorators: Required<ApiDecorators>;
  readonly baseUrl: string;
  /** The faults of `owner` that were logged: each is explained once, whichever controller meets it. */
  readonly ownerFaults = new Set<'error' | 'no owner'>();

  /** @throws {@link ThornConfigurationError} naming the option and its fix */
  constructor(
    private readonly options: ThornApiOptions,
    /** True: links to the page let callers in. */
    readonly portal = false,
  ) {
    new OptionChecks('').assert(
      'api',
      isObject(options),
      'must be an object with guards and owner; leave it out for no API',
    );
    CHECK.names(options, Object.keys(KNOWN));
    const { path = 'hooks', guards = [], imports, owner } = options;
    const { challenge = false, receivers = false, problems = true } = options;
    checkApiPath(CHECK, path);
    checkGuards(guards, options.unprotected);
    CHECK.assert(
      'imports',
      imports === undefined || Array.isArray(imports),
      'must be a list of modules',
    );
    CHECK.assert(
      'owner',
      typeof owner === 'function',
      'must say whose subscribers a caller may see, for example (request) => request.user.id, or () => null for the ' +
        'application alone',
    );
    this.path = path.replace(/^\//, '');
    this.guards = guards;
    this.limits = apiLimits(options.limits);
    this.challenge = CHECK.boolean('challenge', challenge);
    this.receivers = CHECK.boolean('receivers', receivers);
    this.problems = CHECK.boolean('problems', problems);
    this.queryParameters = checkedNames(CHECK, options.queryParameters);
    this.decorators = checkedDecorators(options.decorators);
    this.baseUrl = checkedBaseUrl(options.baseUrl);
  }

  get subscriberLimits(): SubscriberLimits {
    const { subscribersPerOwner, subscribersPerHost } = this.limits;
    return { perOwner: subscribersPerOwner, perHost: subscribersPerHost };
  }

  owner(request: ApiRequest): unknown {
    return this.options.owner(request);
  }

  self(collection: string, id: string): string {
    return `${this.baseUrl}${collection}/${id}`;
  }
}

const CHECK = new OptionChecks('', 'api.');
const PATH = /^\/?[\w.~-]+(?:\/[\w.~-]+)*$/;

const KNOWN: Readonly<Record<keyof ThornApiOptions, true>> = {
  path: true,
  guards: true,
  imports: true,
  owner: true,
  unprotected: true,
  limits: true,
  challenge: true,
  receivers: true,
  queryParameters: true,
  decorators: true,
  problems: true,
  baseUrl: true,
};

export function checkApiPath(check: OptionChecks, path: unknown): void {
  check.assert(
    'path',
    typeof path === 'string' && PATH.test(path),
    `must be a plain path such as 'hooks' or 'account/hooks', without parameters, wildcards or a slash at its end, not ${JSON.stringify(path)}`,
  );
}

/** @returns the names of an option `queryParameters` */
export function checkedNames(check: OptionChecks, names: unknown = []): readonly string[] {
  const isFine =
    Array.isArray(names) && names.every((name) => typeof name === 'string' && name !== '');
  check.assert('queryParameters', isFine, "must be a list of names, for example ['api_key']");
  return names as readonly string[];
}

function checkGuards(guards: readonly unknown[], unprotected: unknown): void {
  CHECK.functions('guards', guards, 'guard classes, for example [AuthGuard]');
  CHECK.assert(
    'unprotected',
    unprotected === undefined || unprotected === true,
    'must be true or left out',
  );
  CHECK.assert(
    'guards',
    guards.length > 0 || unprotected === true,
    'must hold a guard: an API that has no guards lets anybody subscribe. Give for example [AuthGuard], or set ' +
      'api.unprotected: true if something else protects it',
  );
  CHECK.assert(
    'guards',
    guards.length === 0 || unprotected === undefined,
    'and api.unprotected contradict each other. Leave one of them out',
  );
}

function checkedDecorators(given: ApiDecorators = {}): Required<ApiDecorators> {
  CHECK.object('decorators', given, ['all', 'public']);
  const { all = [], public: open = [] } = given;
  const check = CHECK.within('decorators');
  check.functions('all', all, 'class decorators, for example [Public()]');
  check.functions('public', open, 'class decorators, for example [Public()]');
  return { all, public: open };
}

function checkedBaseUrl(baseUrl: string | undefined): string {
  if (baseUrl === undefined) return '';
  const url = typeof baseUrl === 'string' && URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  CHECK.assert(
    'baseUrl',
    url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '',
    'must be an http or https URL without a query, for example https://api.example.com',
  );
  return baseUrl.replace(/\/+$/, '');
}
