import type { DeliveryPage as Records } from '../../lib/outbox/index.js';
import type { DeliveryDetails as RecordDetails } from '../../lib/outbox/index.js';
import { call } from './client.js';
import type { Attempt, Delivery, DeliveryDetails, DeliveryPage, SentRequest } from './model.js';
import { apiUrl, operatorUrl } from './settings.js';
import { path, type Query } from './source.js';

/** Deliveries of one owner, or of all for an operator: both faces show them alike. */
export interface DeliverySource {
  /** Before the path of the screens. */
  readonly base: '' | '/operator';
  list(query: Query, signal: AbortSignal): Promise<DeliveryPage>;
  read(id: string, signal: AbortSignal): Promise<ShownDelivery>;
  /** Body and headers as they were sent. */
  request(id: string, signal: AbortSignal): Promise<SentRequest>;
  retry(id: string): Promise<unknown>;
  cancel(id: string): Promise<unknown>;
}

/** An attempt; operators see the address and the reason of a failed request as well. */
export type ShownAttempt = Attempt & { readonly address?: string | null };
export type ShownDelivery = DeliveryDetails & { readonly attempts: readonly ShownAttempt[] };

const post = (base: URL, to: string) => call<unknown>(base, to, { method: 'POST', body: {} });

export const ownerDeliveries: DeliverySource = {
  base: '',
  list: (query, signal) => call<DeliveryPage>(apiUrl, 'deliveries', { query, signal }),
  read: (id, signal) => call<DeliveryDetails>(apiUrl, path('deliveries', id), { signal }),
  request: (id, signal) => call<SentRequest>(apiUrl, path('deliveries', id, 'request'), { signal }),
  retry: (id) => post(apiUrl, path('deliveries', id, 'retry')),
  cancel: (id) => post(apiUrl, path('deliveries', id, 'cancel')),
};

export const operatorDeliveries: DeliverySource = {
  base: '/operator',
  list: async (query, signal) => {
    const page = await call<Records>(operatorUrl!, 'deliveries', { query, signal });
    return { items: page.items.map(shown), next: page.next };
  },
  read: async (id, signal) => {
    const found = await call<RecordDetails>(operatorUrl!, path('deliveries', id), { signal });
    const attempts = found.attempts.map((one) => ({ ...one, startedAt: iso(one.startedAt)! }));
    const { blockedBy } = found;
    return {
      ...shown(found),
      blockedBy,
      attempts: attempts as readonly unknown[] as readonly ShownAttempt[],
    };
  },
  request: (id, signal) =>
    call<SentRequest>(operatorUrl!, path('deliveries', id, 'request'), { signal }),
  retry: (id) => post(operatorUrl!, path('deliveries', id, 'retry')),
  cancel: (id) => post(operatorUrl!, path('deliveries', id, 'cancel')),
};

/** Operators get the records of the log, whose times are numbers. */
function shown(record: Records['items'][number]): Delivery {
  return {
    ...record,
    self: '',
    nextAt: iso(record.nextAt),
    createdAt: iso(record.createdAt)!,
    attemptedAt: iso(record.attemptedAt),
    finishedAt: iso(record.finishedAt),
  };
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
