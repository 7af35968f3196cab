import type { CanActivate, FactoryProvider, InjectionToken, Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { OptionChecks } from '../common/option-checks.js';

export type OptionGuards = Readonly<Record<'api' | 'operatorApi', readonly Type<CanActivate>[]>>;

type Module = ModulesContainer extends ReadonlyMap<string, infer One> ? One : never;

/** The token under which the dependencies of guards are checked, before Nest constructs the guards. */
abstract class GuardDependencies {}

/**
 * Checks the dependencies of guards, and names the option `imports` when one is missing. Nest constructs the guards in this
 * module, so the error of Nest would name ThornModule, which users cannot change.
 */
export function guardDependencies(guards: OptionGuards): FactoryProvider {
  return {
    provide: GuardDependencies,
    inject: [ModulesContainer],
    useFactory: (modules: ModulesContainer) => {
      const own = [...modules.values()].find(({ providers }) => providers.has(GuardDependencies));
      for (const [option, types] of Object.entries(guards)) {
        for (const type of types) if (own !== undefined) check(type, own, option);
      }
      return null;
    },
  };
}

function check(type: Type<CanActivate>, own: Module, option: string): void {
  // Tests may have another in its place, which needs nothing.
  const isBound = [...own.injectables].some(
    ([token, { metatype }]) =>
      token === metatype && (token === type || Object.getPrototypeOf(token) === type),
  );
  if (!isBound) return;
  const missing = dependenciesOf(type).find(
    (token) => token !== undefined && !own.providers.has(token) && !isImported(token, own),
  );
  if (missing === undefined) return;
  const name = typeof missing === 'function' ? missing.name : String(missing);
  throw new OptionChecks('ThornModule.forRoot()', `${option}.`).error(
    'imports',
    `lacks the module that exports ${name}, which the guard ${type.name} injects. Add that module, for example ` +
      `${option}: { imports: [UsersModule] }`,
  );
}

/** Reads the metadata that Nest reads. The keys are written here because Nest does not export them in both majors. */
function dependenciesOf(type: Type<CanActivate>): readonly (InjectionToken | undefined)[] {
  const read = <Value>(key: string) => (Reflect.getMetadata(key, type) ?? []) as readonly Value[];
  const parameters = [...read<unknown>('design:paramtypes')];
  for (const { index, param } of read<{ index: number; param: unknown }>('self:paramtypes')) {
    parameters[index] = param;
  }
  const optional = read<number>('optional:paramtypes');
  return parameters
    .filter((_, index) => !optional.includes(index))
    .map((one) => {
      const { forwardRef } = (one ?? {}) as { forwardRef?: () => InjectionToken };
      return forwardRef === undefined ? (one as InjectionToken | undefined) : forwardRef();
    });
}

/** Tells whether a module sees a token in its imports, or in modules that these import and export, as Nest looks for it. */
function isImported(token: InjectionToken, module: Module, seen = new Set<Module>()): boolean {
  const isFirst = seen.size === 0;
  for (const related of module.imports) {
    if (seen.has(related) || (!isFirst && !module.exports.has(related.metatype))) continue;
    seen.add(related);
    if (related.exports.has(token) && related.providers.has(token)) return true;
    if (isImported(token, related, seen)) return true;
  }
  return false;
}
