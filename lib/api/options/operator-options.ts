import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { ThornConfigurationError } from '../../errors/index.js';

/**
 * The REST API for operators: it sees and changes what belongs to anybody. There is none unless these options are given.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ operatorApi: { guards: [OperatorGuard] } });
 * ```
 */
export interface OperatorApiOptions {
  /** Guards that every route passes, in this order; at least one. They are constructed in Thorn's module. */
  readonly guards: readonly Type<CanActivate>[];
  /** Modules that export what the guards inject. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** The path of the routes, below a global prefix if there is one. Default `hooks-operator`. */
  readonly path?: string;
}

const PATH = /^\/?[\w.~-]+(?:\/[\w.~-]+)*$/;
const KNOWN = ['guards', 'imports', 'path'];

/** {@link OperatorApiOptions}, checked. */
export type OperatorSettings = Required<Pick<OperatorApiOptions, 'guards' | 'path'>>;

/** @throws {@link ThornConfigurationError} naming the option and its fix */
export function operatorSettings(options: OperatorApiOptions): OperatorSettings {
  const unknown = Object.keys(options ?? {}).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) {
    throw new ThornConfigurationError(
      `The option operatorApi.${unknown} is unknown; known are ${KNOWN.join(', ')}.`,
    );
  }
  const { guards, path = 'hooks-operator' } = options ?? {};
  if (
    !Array.isArray(guards) ||
    guards.length === 0 ||
    guards.some((one) => typeof one !== 'function')
  ) {
    throw new ThornConfigurationError(
      'The option operatorApi.guards must be a list of at least one guard class: these routes show what belongs to anybody.',
    );
  }
  if (typeof path !== 'string' || !PATH.test(path)) {
    throw new ThornConfigurationError(
      "The option operatorApi.path must be a plain path such as 'hooks-operator'.",
    );
  }
  return { guards: guards as readonly Type<CanActivate>[], path: path.replace(/^\//, '') };
}
