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

/** Texts that `String(value)` makes of a missing value: every caller without a user would share such an owner. */
const NOT_AN_OWNER = /^(?:undefined|null|NaN|\[object .*\])$/;

const scopes = new WeakMap<object, OwnerScope>();

/** The settings of applications that were told of an owner that is undefined. */
const told = new WeakSet<object>();

/** The settings of applications that were told of an owner that throws. */
const explained = new WeakSet<object>();

/**
 * Asks the application whose subscribers the caller may see and change, after the application's guards and before the
 * request is looked at. Keeps the owner for {@link CallerScope}.
 */
export class OwnerGuard implements CanActivate {
  readonly #logger = new Logger('ThornApi');

  constructor(private readonly settings: Pick<ApiSettings, 'owner'>) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    // The token of a session has said whose it is.
    if (scopes.has(request)) return true;
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
    scopes.set(request, { owner });
    return true;
  }

  /** An exception of Nest is an answer. Any other error is a fault, which is explained once. */
  async #ask(request: ApiRequest): Promise<unknown> {
    try {
      return await this.settings.owner(request);
    } catch (error) {
      if (error instanceof HttpException || explained.has(this.settings)) throw error;
      explained.add(this.settings);
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
    if (told.has(this.settings)) return;
    told.add(this.settings);
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

/** Says whose request it is, in the place of the application. */
export function enterScope(request: object, owner: string): void {
  scopes.set(request, { owner });
}

/** Returns the same as {@link CallerScope} outside of handlers. */
export function scopeOf(request: object): OwnerScope {
  const scope = scopes.get(request);
  // Unreachable while the guard is bound; without it, no owner must not turn into everybody's.
  if (scope === undefined) throw new UnauthorizedException();
  return scope;
}
