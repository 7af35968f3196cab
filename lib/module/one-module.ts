import type { ModulesContainer } from '@nestjs/core';
import { ThornConfigurationError } from '../errors/index.js';
import { ThornSettings } from './options/settings.js';

/**
 * Refuses a second set-up in one application: both would send every event, with ids of their own, so that no receiver
 * could recognise the repetition. A module that is imported in several places is one module for Nest.
 *
 * @throws {@link ThornConfigurationError} saying which calls to look for
 */
export function assertOneModule(modules: ModulesContainer): void {
  const own = [...modules.values()].filter(({ providers }) => providers.has(ThornSettings));
  if (own.length < 2) return;
  throw new ThornConfigurationError(
    'THORN_MODULE_TWICE',
    'ThornModule is set up more than once in one application, so that every event would be sent more than once. Look ' +
      'for ThornModule.forRoot() and forRootAsync(), and keep one call, in the root module: every module can inject its ' +
      'services.',
  );
}
