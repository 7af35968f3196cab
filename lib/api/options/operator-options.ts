import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { OptionChecks } from '../../common/option-checks.js';
import { checkApiPath, checkedNames } from './api-options.js';

/**
 * Options of the REST API for operators, who see and change the endpoints and deliveries of all owners. The application
 * has no such API unless these options are given.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ operatorApi: { guards: [OperatorGuard] } });
 * ```
 */
export interface OperatorApiOptions {
  /**
   * Guards of every route except the texts of problems, in this order; at least one. They are constructed in Thorn's
   * module. One of them must let only operators in, because a caller that passes the guards sees and changes the
   * endpoints of every owner.
   */
  readonly guards: readonly Type<CanActivate>[];
  /** Modules that export the providers which the guards inject. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** The path of the routes, below a global prefix if there is one. Default `hooks-operator`. */
  readonly path?: string;
  /**
   * True: operators may see the requests that were sent, with their bodies and signed headers, see what deliveries are
   * about, and search for it. Bodies have data of the application's customers. Default false.
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

  /** @throws {@link ThornConfigurationError} that names the option and says how to fix it */
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
