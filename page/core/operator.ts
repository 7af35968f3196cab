import { signal } from '@preact/signals';
import type {
  AttemptHistory,
  DeliveryReports,
  DeliveryStats,
  EndpointHealth,
  OutboxStrategy,
  Pause,
  PruneSummary,
  ResealSummary,
} from '../../lib/outbox/index.js';
import { call } from './client.js';
import type { Endpoint, EndpointPage, Replay } from './model.js';
import { operatorUrl } from './settings.js';
import { path, type Query } from './source.js';

export type FailingEndpoint = Awaited<ReturnType<DeliveryReports['failing']>>[number];

export interface Overview extends DeliveryStats {
  readonly isWorker: boolean;
  readonly activity: ReturnType<OutboxStrategy['activity']>;
  readonly failing: readonly FailingEndpoint[];
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
  overview: (abort?: AbortSignal) => get<Overview>('overview', {}, abort),
  stats: (query: Query, abort: AbortSignal) => get<AttemptHistory>('stats', query, abort),
  endpoints: (query: Query, abort: AbortSignal) => get<EndpointPage>('subscribers', query, abort),
  endpoint: (id: string, abort: AbortSignal) => get<Endpoint>(path('subscribers', id), {}, abort),
  pause: (host: string) => post<undefined>('pauses', { host }),
  resume: (host: string) =>
    call<undefined>(operatorUrl!, path('pauses', host), { method: 'DELETE' }),
  turn: (id: string, state: 'enable' | 'disable') =>
    post<unknown>(path('subscribers', id, state), {}),
  bulk: (id: string, kind: 'recover' | 'backfill', body: object) =>
    post<Replay>(path('subscribers', id, kind), body),
  prune: (body: object) => post<PruneSummary>('prune', body),
  reseal: (body: object) => post<ResealSummary>('reseal', body),
};

function get<Answer>(to: string, query: Query, signal?: AbortSignal): Promise<Answer> {
  return call<Answer>(operatorUrl!, to, { query, ...(signal && { signal }) });
}

function post<Answer>(to: string, body: object): Promise<Answer> {
  return call<Answer>(operatorUrl!, to, { method: 'POST', body });
}
