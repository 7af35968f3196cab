import type { Abstract, FactoryProvider } from '@nestjs/common';
import { ThornConfigurationError } from '../errors/index.js';

/**
 * Stands in for services of a module that was imported as a bare class: `imports: [ThornModule]`. The providers of
 * `forRoot()` replace these, so that they run only where it was not called.
 */
export function unconfiguredProviders(
  tokens: readonly Abstract<unknown>[],
): readonly FactoryProvider[] {
  return tokens.map((provide) => ({ provide, useFactory: refuse }));
}

function refuse(): never {
  throw new ThornConfigurationError(
    'THORN_MODULE_UNCONFIGURED',
    'ThornModule is imported without options. Call it in the imports of the root module: ' +
      'imports: [ThornModule.forRoot()] instead of imports: [ThornModule].',
  );
}
