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

/** Where the routes of a controller are, and what their requests pass. */
export interface Mount {
  /** Below prefixes of the application. */
  readonly path: string;
  /** The application's own, as if it had written them above the class. */
  readonly decorators?: readonly ClassDecorator[];
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[];
  /** Besides those that every API has; the page has none. */
  readonly interceptors?: readonly (Type<NestInterceptor> | NestInterceptor)[];
  readonly filters?: readonly ExceptionFilter[];
  /** True: the routes take the tokens of links to the page. */
  readonly portal?: boolean;
  /** True: the routes are those of the page, whose handlers send their responses themselves. */
  readonly isPage?: true;
}

/**
 * Makes a subclass of a controller for one application, with path, guards and filters of its own: they are metadata of the
 * class, and two applications of one process may differ in them.
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

/** Metadata of routes is kept on functions, so that each subclass needs functions of its own. */
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
