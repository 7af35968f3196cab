import { computed, signal } from '@preact/signals';
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
import { ApiError, call, type Call } from './client.js';
import type { Change, Endpoint, EndpointPage, Replay } from './model.js';
import { capabilities } from './session.js';
import { operatorUrl } from './settings.js';
import { path, type Query } from './source.js';
import type { Page } from './use-pages.js';

export type { Pause };
export type FailingEndpoint = Awaited<ReturnType<DeliveryReports['failing']>>['items'][number];

export interface Overview extends DeliveryStats {
  readonly isWorker: boolean;
  readonly activity: ReturnType<OutboxStrategy['activity']>;
  readonly failing: readonly FailingEndpoint[];
  /** The number of all failing subscribers, of which `failing` lists a part. */
  readonly failingSubscribers: number;
  readonly endpoints: readonly EndpointHealth[];
  readonly pauses: readonly Pause[];
}

/**
 * Remembers for the next visit that the user is an operator, where the browser allows it. So the page calls the
 * operator API only for operators.
 */
const known = {
  get name() {
    return `thorn-operator ${operatorUrl!.pathname}`;
  },
  read: () => operatorUrl !== null && ignored(() => localStorage.getItem(known.name)) !== null,
  write(isOne: boolean): void {
    ignored(() => {
      if (isOne) localStorage.setItem(known.name, '');
      else localStorage.removeItem(known.name);
    });
  },
};

function ignored<Result>(work: () => Result): Result | null {
  try {
    return work();
  } catch {
    return null;
  }
}

const isLetIn = signal<boolean>();

/**
 * True when the operator API has let the user in, now or at an earlier visit. A user becomes known as an operator by
 * opening `/operator`; the page makes no request to find out. A session of a link is never an operator, because its
 * token is for an owner.
 */
export const isOperator = computed(
  () => capabilities.value === null && (isLetIn.value ?? known.read()),
);

/** The number of failing endpoints of all owners, from the latest overview. */
export const failingEndpoints = signal(0);

/** Calls the operator API. @throws {@link ApiError} */
export async function callOperator<Answer>(path: string, given: Call = {}): Promise<Answer> {
  try {
    const answer = await call<Answer>(operatorUrl!, path, given);
    if (isLetIn.value !== true) known.write((isLetIn.value = true));
    return answer;
  } catch (error) {
    // Only a refusal of the overview means that the user is no operator: the application may refuse other routes to operators.
    const isRefused = error instanceof ApiError && (error.status === 401 || error.status === 403);
    if (isRefused && path === 'overview') known.write((isLetIn.value = false));
    throw error;
  }
}

/** Calls of the operator API. */
export const operator = {
  overview: async (abort: AbortSignal) => {
    const overview = await get<Overview>('overview', {}, abort);
    failingEndpoints.value = overview.failingSubscribers;
    return overview;
  },
  stats: (query: Query, abort: AbortSignal) => get<AttemptHistory>('stats', query, abort),
  endpoints: (query: Query, abort: AbortSignal) => get<EndpointPage>('subscribers', query, abort),
  endpoint: (id: string, abort: AbortSignal, query: Query = {}) =>
    get<Endpoint>(path('subscribers', id), query, abort),
  changes: (id: string, query: Query, abort: AbortSignal) =>
    get<Page<Change>>(path('subscribers', id, 'changes'), query, abort),
  pause: (host: string) => post<undefined>('pauses', { host }),
  resume: (host: string) => callOperator<undefined>(path('pauses', host), { method: 'DELETE' }),
  turn: (id: string, state: 'enable' | 'disable') =>
    post<unknown>(path('subscribers', id, state), {}),
  bulk: (id: string, kind: 'recover' | 'backfill', body: object) =>
    post<Replay>(path('subscribers', id, kind), body),
  prune: (body: object) => post<PruneSummary>('prune', body),
  reseal: (body: object) => post<ResealSummary>('reseal', body),
};

function get<Answer>(to: string, query: Query, signal?: AbortSignal): Promise<Answer> {
  return callOperator<Answer>(to, { query, ...(signal && { signal }) });
}

function post<Answer>(to: string, body: object): Promise<Answer> {
  return callOperator<Answer>(to, { method: 'POST', body });
}
