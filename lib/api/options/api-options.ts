import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { isObject } from '../../common/objects.js';
import { OptionChecks } from '../../common/option-checks.js';
import type { SubscriberLimits } from '../../subscriber/index.js';
import { type ApiLimits, apiLimits } from './api-limits.js';

/**
 * The request object of the platform, with the `user` that guards usually set. To read another property, annotate the
 * parameter of `owner` with the application's own request type, or with `{ user: { sub: string } }`.
 */
export interface ApiRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The user that a guard has set on the request. */
  readonly user: { readonly id: string | number | bigint };
}

/** The id of a user as `owner` returns it. Numbers are turned into text. */
export type ApiOwner = string | number | bigint | null | undefined;

/** Who acts as `actor` returns it. Numbers are turned into text. */
export type ApiActor = string | number | bigint | undefined;

/**
 * Options of the REST API for subscribers. The application has no REST API unless these options are given.
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
   * Guards of every route except the texts of problems, in this order. They are constructed in Thorn's module: see
   * {@link imports}.
   */
  readonly guards?: readonly Type<CanActivate>[];

  /** Modules that export the providers which the guards inject. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;

  /**
   * Returns whose subscribers the caller may see and change: the id of the caller's user. Called after the guards.
   * `null` means the application's own subscribers, which receive every match. `undefined` and an empty text give a
   * 401, an exception of Nest is the answer itself, and any other value or error gives a 500. The parameter may have
   * the application's own type: `(request: { user: { sub: string } }) => request.user.sub`.
   */
  owner(request: Request): ApiOwner | Promise<ApiOwner>;

  /**
   * Returns who acts, for the audit of subscribers: a text of up to 255 characters or a number, for example the id of the
   * person where `owner` is a company. Called after `owner`. `undefined` means the owner; any other value or error gives a
   * 500, an exception of Nest is the answer itself. Default: the owner, or `application` where that is null.
   */
  actor?(request: Request): ApiActor | Promise<ApiActor>;

  /**
   * True: the routes have no guards of their own, for example because a global guard protects them. Without guards,
   * this must be set, so that nobody leaves the API open by mistake.
   */
  readonly unprotected?: true;

  /** The limits of one caller; see {@link ApiLimits} for the defaults. */
  readonly limits?: ApiLimits;

  /**
   * True: a new subscriber, and a subscriber whose URL changes, receives nothing until its endpoint has agreed to
   * receive webhooks by echoing a token; see docs/rest/subscribers.md. Default false.
   */
  readonly challenge?: boolean;

  /**
   * True: receivers may show, change and end their own subscription at `<path>/self`, with `Hook-Subscription` and their
   * secret; the guards do not apply there. Default false.
   */
  readonly receivers?: boolean;

  /**
   * Names of query parameters that the application's guards read, for example `['api_key']`. Routes that take a query
   * refuse every parameter except these and the parameters of the route. Default: none.
   */
  readonly queryParameters?: readonly string[];

  /**
   * Decorators of the application for the controllers, such as `@Public()`, `@SkipThrottle()` or `@ApiTags()`; see
   * {@link ApiDecorators}. Default: none.
   */
  readonly decorators?: ApiDecorators;

  /**
   * False: errors reach the application's own exception filters as Nest's exceptions. Default true: errors are answered
   * as `application/problem+json` (RFC 9457).
   */
  readonly problems?: boolean;

  /**
   * The beginning of the URLs in answers, which are `self` and `Location` of a subscriber and the `type` of a problem;
   * for example `https://api.example.com`. Default: none, so that these URLs begin with `/`, which works behind any
   * proxy.
   */
  readonly baseUrl?: string;
}

/** Decorators for the controllers of the REST API, applied as if the application had written them above the classes. */
export interface ApiDecorators {
  /** Decorators for every controller of the API. */
  readonly all?: readonly ClassDecorator[];
  /**
   * Decorators for the controllers that callers without an account use: the public keys, the texts of problems, the
   * links to unsubscribe, and the routes of receivers.
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
  /** The faults of `owner` and `actor` that were logged already. Each is explained once, even if several controllers meet it. */
  readonly ownerFaults = new Set<'owner' | 'actor' | 'no owner'>();

  /** @throws {@link ThornConfigurationError} that names the option and says how to fix it */
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
    const { path = 'hooks', guards = [], imports, owner, actor } = options;
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
    CHECK.function('actor', actor, 'that says who acts, for example (request) => request.user.id');
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

  /** @returns undefined where the owner acts */
  actor(request: ApiRequest): unknown {
    return this.options.actor?.(request);
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
  actor: true,
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
