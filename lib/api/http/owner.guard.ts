import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  InternalServerErrorException,
  Logger,
  UnauthorizedException,
} from '@nestjs/common';
import type { OwnerScope } from '../../subscriber/index.js';
import type { ApiRequest, ApiSettings } from '../options/api-options.js';

/** What `String(value)` makes of a value that is none: as an owner it would be shared by every caller without a user. */
const NOT_AN_OWNER = /^(?:undefined|null|NaN|\[object .*\])$/;

const scopes = new WeakMap<object, OwnerScope>();

/**
 * Asks the application whose subscribers the caller may touch, after its guards and before anything of the request is
 * looked at, and keeps the answer for {@link CallerScope}.
 */
export class OwnerGuard implements CanActivate {
  readonly #logger = new Logger('ThornApi');

  constructor(private readonly settings: Pick<ApiSettings, 'owner'>) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const owner: unknown = await this.settings.owner(request);
    if (owner === undefined || owner === '') throw new UnauthorizedException();
    if (owner !== null && (typeof owner !== 'string' || NOT_AN_OWNER.test(owner))) {
      this.#logger.error(
        `The option api.owner returned ${typeof owner === 'string' ? `the text "${owner}"` : `a value of type ${typeof owner}`}. ` +
          `Return the user's id as a text, for example String(request.user.id), undefined when there is no user, or null ` +
          `for the application's own subscribers.`,
      );
      throw new InternalServerErrorException();
    }
    scopes.set(request, { owner });
    return true;
  }
}

/** The handler parameter that holds what {@link OwnerGuard} found. */
export const CallerScope = createParamDecorator((_: unknown, context: ExecutionContext) =>
  scopeOf(context.switchToHttp().getRequest<object>()),
);

/** As {@link CallerScope}, for what is not a handler. */
export function scopeOf(request: object): OwnerScope {
  const scope = scopes.get(request);
  // Unreachable while the guard is bound; without it, no owner must not turn into everybody's.
  if (scope === undefined) throw new UnauthorizedException();
  return scope;
}
