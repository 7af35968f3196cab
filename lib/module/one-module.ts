import type { ModulesContainer } from '@nestjs/core';
import { ThornConfigurationError } from '../errors/index.js';
import { CallSite } from './call-site.js';

/**
 * Refuses a second set-up in one application: both would send every event, with ids of their own, so that no receiver
 * could recognise the repetition. A module that is imported in several places is one module for Nest.
 *
 * @throws {@link ThornConfigurationError} naming all call sites
 */
export function assertOneModule(modules: ModulesContainer): void {
  const sites = [...modules.values()]
    .map(({ providers }) => providers.get(CallSite)?.instance as CallSite | undefined)
    .flatMap((site) => (site === undefined ? [] : [site.text]));
  if (sites.length < 2) return;
  const times = sites.length === 2 ? 'twice' : `${sites.length} times`;
  throw new ThornConfigurationError(
    'THORN_MODULE_TWICE',
    `ThornModule is set up ${times} in one application, by ${sites.join(' and by ')}, so that every event would be ` +
      `sent ${times}. Keep one of these calls, in the root module: every module can inject its services.`,
    { sites },
  );
}
