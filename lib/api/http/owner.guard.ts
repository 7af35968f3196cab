import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  HttpException,
  InternalServerErrorException,
  Logger,
  UnauthorizedException,
} from '@nestjs/common';
import { errorText, stackFrames } from '../../common/index.js';
import { MAX_BY_LENGTH, type OwnerScope } from '../../subscriber/index.js';
import type { ApiRequest, ApiSettings } from '../options/api-options.js';

/**
 * Texts that `String(value)` makes of a missing value, such as `undefined`. All callers without a user would share such
 * an owner.
 */
const NOT_AN_OWNER = /^(?:undefined|null|NaN|\[object .*\])$/;

/** The control characters that no database must store, and line breaks, which a log would show as two lines. */
const IS_ACTOR = /^[^\p{Cc}\p{Cs}]+$/u;

/** The caller of a request. */
interface Caller {
  readonly scope: OwnerScope;
  /** True when a token or secret named the owner; false when the option `owner` of the application did. */
  readonly isOfPortal: boolean;
  /** Who acts, for the audit of subscribers. Undefined: the application. */
  readonly by: string | undefined;
}

// The map is for the whole process, because Nest injects no services into a decorator of a parameter. Its key is the
// request, which belongs to one application, and no property of the request is written.
const callers = new WeakMap<object, Caller>();

/**
 * Asks the application whose subscribers the caller may see and change, after the application's guards and before the
 * handler reads the request. Keeps the owner for {@link CallerScope}.
 */
export class OwnerGuard implements CanActivate {
  readonly #logger = new Logger('ThornApi');

  constructor(private readonly settings: Pick<ApiSettings, 'owner' | 'actor' | 'ownerFaults'>) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    // The token of a session has named the owner already.
    if (callers.has(request)) return true;
    const given = await this.#ask('owner', request);
    if (given === undefined || given === '') {
      this.#logOnce(given);
      throw new UnauthorizedException();
    }
    const owner = typeof given === 'bigint' || Number.isFinite(given) ? String(given) : given;
    if (owner !== null && (typeof owner !== 'string' || NOT_AN_OWNER.test(owner))) {
      this.#logger.error(
        `The option api.owner returned ${typeof owner === 'string' ? `the text "${owner}"` : `a value of type ${typeof owner}`}. ` +
          `Return the user's id as a text or a number, undefined when there is no user, or null for the application's ` +
          `own subscribers.`,
      );
      throw new InternalServerErrorException();
    }
    const by = (await this.#actor(request)) ?? owner ?? undefined;
    callers.set(request, { scope: { owner }, isOfPortal: false, by });
    return true;
  }

  /** @returns undefined where the option `actor` names nobody */
  async #actor(request: ApiRequest): Promise<string | undefined> {
    const given = await this.#ask('actor', request);
    if (given === undefined) return undefined;
    const actor = typeof given === 'bigint' || Number.isFinite(given) ? String(given) : given;
    const isText = typeof actor === 'string' && actor.length <= MAX_BY_LENGTH;
    if (isText && IS_ACTOR.test(actor) && !NOT_AN_OWNER.test(actor)) return actor;
    this.#logger.error(
      `The option api.actor returned a value of type ${typeof actor} that cannot name who acts. Return a text of 1 to ` +
        `${MAX_BY_LENGTH} characters without control characters, a number, or undefined for the owner.`,
    );
    throw new InternalServerErrorException();
  }

  /**
   * Calls an option. An exception of Nest is passed on as the answer. Any other error is a fault of the
   * application, which the log explains once.
   */
  async #ask(option: 'owner' | 'actor', request: ApiRequest): Promise<unknown> {
    const { ownerFaults } = this.settings;
    try {
      return await this.settings[option](request);
    } catch (error) {
      if (error instanceof HttpException || ownerFaults.has(option)) throw error;
      ownerFaults.add(option);
      this.#logger.error(
        `The option api.${option} threw ${errorText(error)}, and the caller got 500. If there may be no user, return ` +
          'undefined, as (request) => request.user?.id does. If there is one, make sure that a guard puts it on the ' +
          'request (api.guards).',
        stackFrames(error),
      );
      throw new InternalServerErrorException();
    }
  }

  #logOnce(given: '' | undefined): void {
    const { ownerFaults } = this.settings;
    if (ownerFaults.has('no owner')) return;
    ownerFaults.add('no owner');
    this.#logger.warn(
      `The option api.owner returned ${given === '' ? 'an empty text' : 'undefined'}, and the caller got 401. If there ` +
        `is a user, make sure that a guard puts it on the request (api.guards), and that api.owner reads it from there.`,
    );
  }
}

/** The handler parameter that holds the owner that {@link OwnerGuard} found. */
export const CallerScope = createParamDecorator((_: unknown, context: ExecutionContext) =>
  scopeOf(context.switchToHttp().getRequest<object>()),
);

/** The handler parameter that names who acts. Undefined: the application. */
export const CallerName = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    callers.get(context.switchToHttp().getRequest<object>())?.by,
);

/** The terms that name who acts. */
export function named(by: string | undefined): { readonly by?: string } {
  return by === undefined ? {} : { by };
}

/** Sets the owner of a request, in the place of the option `owner`. */
export function enterScope(request: object, owner: string | null): void {
  callers.set(request, { scope: { owner }, isOfPortal: true, by: owner ?? undefined });
}

/** Tells whether {@link enterScope} was called for a request. */
export function isOfPortal(request: object): boolean {
  return callers.get(request)?.isOfPortal === true;
}

/** Returns the scope of {@link CallerScope}, for code outside of handlers. */
export function scopeOf(request: object): OwnerScope {
  const caller = callers.get(request);
  // Unreachable while the guard is bound. If it ever is not, a request without an owner must not reach the subscribers of
  // all owners.
  if (caller === undefined) throw new UnauthorizedException();
  return caller.scope;
}
