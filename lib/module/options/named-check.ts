import type { Type } from '@nestjs/common';
import { MODULE_CHECKS } from './settings.js';

/** Nest's metadata of what it asks around a handler: no entry of Nest exports the keys in both majors. */
const ENHANCERS = {
  __guards__: 'a guard',
  __interceptors__: 'an interceptor',
  __pipes__: 'a pipe',
  __exceptionFilters__: 'a filter',
} as const;

/**
 * Refuses guards and their like that are classes without a name: NestJS before 11.2.8, and 12 before 12.2.0, leaves them
 * out without a word.
 *
 * @param option the option that the controllers were made of
 * @throws {@link ThornConfigurationError} naming the option
 */
export function checkNamed(
  option: 'api' | 'operatorApi',
  controllers: readonly Type<unknown>[],
): void {
  for (const [key, kind] of Object.entries(ENHANCERS)) {
    const bound = controllers.flatMap(
      (controller) => (Reflect.getMetadata(key, controller) ?? []) as readonly unknown[],
    );
    MODULE_CHECKS.assert(
      option,
      bound.every((one) => typeof one !== 'function' || one.name !== ''),
      `has ${kind} that is a class without a name: NestJS up to 11.2.7 and 12.1.3 leaves it out, and requests pass ` +
        'without it. Give the class a name, or return it through mixin() of @nestjs/common',
    );
  }
}
