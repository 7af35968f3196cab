import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { isObject } from '../../common/objects.js';
import { type Capability, isPortalToken, PortalLinks } from '../../portal/index.js';
import type { ApiRequest } from '../options/api-options.js';
import { enterScope, isOfPortal } from './owner.guard.js';

const KEY = 'thorn:capabilities';
/** Fields that set a secret, in the body of any route. */
const SECRET_FIELDS = ['secret', 'hmac_secret'];

/**
 * Declares the capabilities that a route needs from the token of a session. Default: `read` for GET, `write` for every
 * other method.
 */
export function Needs(...capabilities: readonly Capability[]): MethodDecorator {
  return (prototype, name) => {
    const handler = (prototype as Readonly<Record<typeof name, object>>)[name]!;
    Reflect.defineMetadata(KEY, capabilities, handler);
  };
}

type PortalRequest = ApiRequest & { readonly method: string; readonly body?: unknown };

/**
 * Lets the holder of a session's token in, as the owner of the session and within its capabilities. A request without
 * such a token passes this guard, and the guards of the application decide about it.
 */
@Injectable()
export class PortalGuard implements CanActivate {
  constructor(private readonly links: PortalLinks) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<PortalRequest>();
    const token = tokenOf(request);
    if (token === undefined) return true;
    const session = await this.links.session(token);
    if (session === null) throw new UnauthorizedException();
    const given = new Set<Capability>(session.capabilities);
    if (!neededFor(context.getHandler(), request).every((one) => given.has(one))) {
      throw new ForbiddenException();
    }
    enterScope(request, session.owner);
    return true;
  }
}

/** Makes a subclass of a guard of the application that lets every request pass which {@link PortalGuard} has let in. */
export function unlessPortal(guard: Type<CanActivate>): Type<CanActivate> {
  class UnlessPortal extends guard {
    readonly #check = checkOf(this);

    // This is a property and not a method, because the guard may have `canActivate` as a property, which would hide a method.
    override canActivate = (context: ExecutionContext): ReturnType<CanActivate['canActivate']> =>
      isOfPortal(context.switchToHttp().getRequest<object>()) || this.#check(context);
  }
  // Nest ignores a class without a name, and its errors show the name. The metadata is copied because Nest reads some of it
  // from the class itself, and not from its parent.
  Object.defineProperty(UnlessPortal, 'name', { value: guard.name });
  for (const key of Reflect.getMetadataKeys(guard) as readonly unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, guard), UnlessPortal);
  }
  return UnlessPortal;
}

function checkOf(guard: CanActivate): CanActivate['canActivate'] {
  return guard.canActivate.bind(guard);
}

/** Tells whether a request shows the token of a session, valid or not. */
export function showsPortalToken(request: Pick<ApiRequest, 'headers'>): boolean {
  return tokenOf(request) !== undefined;
}

function tokenOf({ headers }: Pick<ApiRequest, 'headers'>): string | undefined {
  const [, token] = /^Bearer (\S+)$/i.exec(String(headers['authorization'] ?? '')) ?? [];
  return token !== undefined && isPortalToken(token) ? token : undefined;
}

function neededFor(handler: object, { method, body }: PortalRequest): readonly Capability[] {
  const declared = Reflect.getMetadata(KEY, handler) as readonly Capability[] | undefined;
  const needed = declared ?? [method === 'GET' || method === 'HEAD' ? 'read' : 'write'];
  const setsSecret = isObject(body) && SECRET_FIELDS.some((field) => Object.hasOwn(body, field));
  return setsSecret ? [...needed, 'secrets'] : needed;
}
