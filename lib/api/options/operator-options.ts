import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { OptionChecks } from '../../common/option-checks.js';
import { checkApiPath, checkedNames } from './api-options.js';

/**
 * The REST API for operators: it sees and changes what belongs to anybody. There is none unless these options are given.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ operatorApi: { guards: [OperatorGuard] } });
 * ```
 */
export interface OperatorApiOptions {
  /**
   * Guards that every route but the texts of problems passes, in this order; at least one. They are constructed in Thorn's
   * module. One of them has to let operators in alone: whom they let in sees and changes the endpoints of every owner.
   */
  readonly guards: readonly Type<CanActivate>[];
  /** Modules that export what the guards inject. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** The path of the routes, below a global prefix if there is one. Default `hooks-operator`. */
  readonly path?: string;
  /**
   * True: operators may see what was sent, body and signed headers included. Bodies are the data of the application's
   * customers. Default false.
   */
  readonly bodies?: boolean;
  /** Names of query parameters that the guards read; see {@link ThornApiOptions.queryParameters}. Default: none. */
  readonly queryParameters?: readonly string[];
}

const KNOWN = ['guards', 'imports', 'path', 'bodies', 'queryParameters'];

/** {@link OperatorApiOptions} with their defaults, checked. */
export class OperatorSettings {
  readonly path: string;
  readonly guards: readonly Type<CanActivate>[];
  readonly bodies: boolean;
  readonly queryParameters: readonly string[];

  /** @throws {@link ThornConfigurationError} naming the option and its fix */
  constructor(options: OperatorApiOptions) {
    const check = new OptionChecks('', 'operatorApi.');
    const { guards, path = 'hooks-operator', bodies = false } = options ?? {};
    check.names({ ...options }, KNOWN);
    check.functions('guards', guards ?? [], 'guard classes, for example [OperatorGuard]');
    check.assert(
      'guards',
      guards?.length > 0,
      'must hold at least one guard class: these routes show what belongs to anybody',
    );
    checkApiPath(check, path);
    this.path = path.replace(/^\//, '');
    this.guards = guards;
    this.bodies = check.boolean('bodies', bodies);
    this.queryParameters = checkedNames(check, options.queryParameters);
  }
}
