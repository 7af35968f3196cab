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
import type { OwnerScope } from '../../subscriber/index.js';
import type { ApiRequest, ApiSettings } from '../options/api-options.js';

/**
 * Texts that `String(value)` makes of a missing value, such as `undefined`. All callers without a user would share such
 * an owner.
 */
const NOT_AN_OWNER = /^(?:undefined|null|NaN|\[object .*\])$/;

/** The caller of a request. */
interface Caller {
  readonly scope: OwnerScope;
  /** True when the token of a session named the owner; false when the option `owner` of the application did. */
  readonly isOfPortal: boolean;
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

  constructor(private readonly settings: Pick<ApiSettings, 'owner' | 'ownerFaults'>) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    // The token of a session has named the owner already.
    if (callers.has(request)) return true;
    const given = await this.#ask(request);
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
    callers.set(request, { scope: { owner }, isOfPortal: false });
    return true;
  }

  /**
   * Calls the option `owner`. An exception of Nest is passed on as the answer. Any other error is a fault of the
   * application, which the log explains once.
   */
  async #ask(request: ApiRequest): Promise<unknown> {
    const { ownerFaults } = this.settings;
    try {
      return await this.settings.owner(request);
    } catch (error) {
      if (error instanceof HttpException || ownerFaults.has('error')) throw error;
      ownerFaults.add('error');
      this.#logger.error(
        `The option api.owner threw ${errorText(error)}, and the caller got 500. If there may be no user, return ` +
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

/** Sets the owner of a request, in the place of the option `owner`. */
export function enterScope(request: object, owner: string): void {
  callers.set(request, { scope: { owner }, isOfPortal: true });
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
