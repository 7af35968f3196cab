import {
  applyDecorators,
  type CanActivate,
  Controller,
  type ExceptionFilter,
  type NestInterceptor,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { MarkRoutes, methodsOf } from '../platform/route-mark.js';
import { PrivateResponseGuard } from '../problems/private-response.js';
import { FixedResponseInterceptor, FixedResponses } from './fixed-response.interceptor.js';
import { ServiceErrorsInterceptor } from './service-errors.interceptor.js';

/** The path of a controller's routes, and the guards, interceptors and filters that their requests pass. */
export interface Mount {
  /** The path, below the prefixes of the application. */
  readonly path: string;
  /** Decorators of the application, applied as if it had written them above the class. */
  readonly decorators?: readonly ClassDecorator[];
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[];
  /** Interceptors besides the interceptors of every API; the page has none. */
  readonly interceptors?: readonly (Type<NestInterceptor> | NestInterceptor)[];
  readonly filters?: readonly ExceptionFilter[];
  /** True: the routes take the tokens of links to the page. */
  readonly portal?: boolean;
  /** True: the routes belong to the page, whose handlers send their responses themselves. */
  readonly isPage?: true;
}

/**
 * Makes a subclass of a controller for one application, with its own path, guards and filters. Nest keeps them as
 * metadata of the class, and two applications in one process may have different ones.
 *
 * @example
 * ```ts
 * mount(ThornSubscribersController, { path: 'hooks', guards: [AuthGuard] });
 * ```
 */
export function mount(
  controller: Type<object>,
  { path, decorators = [], guards = [], interceptors = [], filters = [], ...mark }: Mount,
): Type<object> {
  class Mounted extends controller {}
  Object.defineProperty(Mounted, 'name', { value: controller.name });
  for (const handler of methodsOf(controller)) {
    const value = copyOf(handler);
    Object.defineProperty(Mounted.prototype, handler.name, { value, configurable: true });
  }
  const answers = [
    FixedResponses(),
    UseInterceptors(
      new FixedResponseInterceptor(),
      new ServiceErrorsInterceptor(),
      ...interceptors,
    ),
  ];
  applyDecorators(
    ...decorators,
    Controller({ path, version: VERSION_NEUTRAL }),
    UseGuards(new PrivateResponseGuard(), ...guards),
    ...(mark.isPage ? [] : answers),
    UseFilters(...filters),
    MarkRoutes({ api: path, ...mark }),
  )(Mounted);
  return Mounted;
}

/** Copies a handler. Nest keeps the metadata of a route on its function, so that each subclass needs its own functions. */
function copyOf(handler: Function): Function {
  const copy = function (this: object, ...given: unknown[]): unknown {
    return Reflect.apply(handler, this, given);
  };
  for (const key of ['name', 'length'] as const) {
    Object.defineProperty(copy, key, { value: handler[key] });
  }
  for (const key of Reflect.getMetadataKeys(handler) as readonly unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), copy);
  }
  return copy;
}
