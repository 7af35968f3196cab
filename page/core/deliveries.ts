import type {
  OperatorDeliveryDetailsView,
  OperatorDeliveryView,
} from '../../lib/api/operator/operator.view.js';
import type { SentRequest } from '../../lib/outbox/index.js';
import { call } from './client.js';
import type {
  Attempt,
  Delivery,
  DeliveryDetails,
  DeliveryPage,
  Endpoint,
  EndpointPage,
  RetriedPage,
} from './model.js';
import { callOperator, operator } from './operator.js';
import { apiUrl } from './settings.js';
import { owner, path, type Query } from './source.js';
import type { Page } from './use-pages.js';

/** The number of deliveries that the API retries in one request. */
export const MOST_RETRIED = 100;

/** The deliveries of one owner, or of all owners for an operator. The same screens show both. */
export interface DeliverySource {
  /** The prefix of the screens' paths. */
  readonly base: '' | '/operator';
  list(query: Query, signal: AbortSignal): Promise<Page<Delivery>>;
  read(id: string, signal: AbortSignal): Promise<ShownDelivery>;
  /** Reads the body and the URL as they were sent. */
  request(id: string, signal: AbortSignal): Promise<SentRequest>;
  retry(id: string): Promise<unknown>;
  /** Retries up to {@link MOST_RETRIED} deliveries. */
  retrySelected(ids: readonly string[]): Promise<RetriedPage>;
  cancel(id: string): Promise<unknown>;
  endpoints(query: Query, signal: AbortSignal): Promise<EndpointPage>;
  endpoint(id: string, signal: AbortSignal): Promise<Endpoint>;
}

/** An attempt; operators see the address and the reason of a failed request as well. */
export type ShownAttempt = Attempt & { readonly address?: string | null };
export type ShownDelivery = DeliveryDetails & { readonly attempts: readonly ShownAttempt[] };

const EMPTY = { method: 'POST', body: {} } as const;

export const ownerDeliveries: DeliverySource = {
  base: '',
  list: (query, signal) => call<DeliveryPage>(apiUrl, 'deliveries', { query, signal }),
  read: (id, signal) => call<DeliveryDetails>(apiUrl, path('deliveries', id), { signal }),
  request: (id, signal) => call<SentRequest>(apiUrl, path('deliveries', id, 'request'), { signal }),
  retry: (id) => call<unknown>(apiUrl, path('deliveries', id, 'retry'), EMPTY),
  retrySelected: (ids) =>
    call<RetriedPage>(apiUrl, 'deliveries/retry', { method: 'POST', body: { ids } }),
  cancel: (id) => call<unknown>(apiUrl, path('deliveries', id, 'cancel'), EMPTY),
  endpoints: (query, signal) => owner.endpoints(query, signal),
  endpoint: async (id, signal) => (await owner.endpoint(id, signal)).endpoint,
};

export const operatorDeliveries: DeliverySource = {
  base: '/operator',
  list: async (query, signal) => {
    const page = await callOperator<{
      readonly items: readonly OperatorDeliveryView[];
      readonly next: string | null;
    }>('deliveries', { query, signal });
    return { items: page.items.map(shown), next: page.next };
  },
  read: async (id, signal) => {
    const found = await callOperator<OperatorDeliveryDetailsView>(path('deliveries', id), {
      signal,
    });
    const attempts = found.attempts.map((one) => ({ ...one, startedAt: iso(one.startedAt)! }));
    const { blockedBy, expunged } = found;
    return {
      ...shown(found),
      blockedBy,
      expunged,
      attempts: attempts as readonly unknown[] as readonly ShownAttempt[],
    };
  },
  request: (id, signal) => callOperator<SentRequest>(path('deliveries', id, 'request'), { signal }),
  retry: (id) => callOperator<unknown>(path('deliveries', id, 'retry'), EMPTY),
  retrySelected: (ids) =>
    callOperator<RetriedPage>('deliveries/retry', { method: 'POST', body: { ids } }),
  cancel: (id) => callOperator<unknown>(path('deliveries', id, 'cancel'), EMPTY),
  endpoints: (query, signal) => operator.endpoints(query, signal),
  endpoint: (id, signal) => operator.endpoint(id, signal),
};

/** Converts a record that operators get. Its times are numbers, but the screens show texts. */
function shown(record: OperatorDeliveryView): Delivery {
  return {
    ...record,
    self: '',
    nextAt: iso(record.nextAt),
    pause: record.pause && { ...record.pause, until: iso(record.pause.until) },
    createdAt: iso(record.createdAt)!,
    attemptedAt: iso(record.attemptedAt),
    finishedAt: iso(record.finishedAt),
  };
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
