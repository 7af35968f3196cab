import { signal } from '@preact/signals';
import type {
  DeliveryStats,
  EndpointHealth,
  OutboxStrategy,
  Pause,
} from '../../lib/outbox/index.js';
import { call } from './client.js';
import type { EndpointPage } from './model.js';
import { operatorUrl } from './settings.js';
import { path, type Query } from './source.js';

export interface Overview extends DeliveryStats {
  readonly activity: ReturnType<OutboxStrategy['activity']>;
  readonly endpoints: readonly EndpointHealth[];
  readonly pauses: readonly Pause[];
}

/** True once the operator API has let the caller in. */
export const isOperator = signal(false);

/** Asks whether the caller is an operator; whoever is not sees nothing of it. */
export async function findOperator(): Promise<void> {
  if (operatorUrl === null) return;
  isOperator.value = await operator.overview().then(
    () => true,
    () => false,
  );
}

/** Calls of the operator API. */
export const operator = {
  overview: (abort?: AbortSignal) =>
    call<Overview>(operatorUrl!, 'overview', abort === undefined ? {} : { signal: abort }),
  endpoints: (query: Query, abort: AbortSignal) =>
    call<EndpointPage>(operatorUrl!, 'subscribers', { query, signal: abort }),
  pause: (host: string) =>
    call<undefined>(operatorUrl!, 'pauses', { method: 'POST', body: { host } }),
  resume: (host: string) =>
    call<undefined>(operatorUrl!, path('pauses', host), { method: 'DELETE' }),
  turn: (id: string, state: 'enable' | 'disable') =>
    call<unknown>(operatorUrl!, path('subscribers', id, state), { method: 'POST', body: {} }),
};
