import type { Endpoints } from './endpoints.js';
import type { Services } from './services.js';

/** What the parts of this bench stand on. */
export interface Ground {
  readonly services: Services;
  readonly endpoints: Endpoints;
}
