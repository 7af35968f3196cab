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
import type { Endpoint, EndpointPage, Replay } from './model.js';
import { capabilities } from './session.js';
import { operatorUrl } from './settings.js';
import { path, type Query } from './source.js';

export type FailingEndpoint = Awaited<ReturnType<DeliveryReports['failing']>>[number];

export interface Overview extends DeliveryStats {
  readonly isWorker: boolean;
  readonly activity: ReturnType<OutboxStrategy['activity']>;
  readonly failing: readonly FailingEndpoint[];
  /** All that fail, also beyond those of `failing`. */
  readonly failingSubscribers: number;
  readonly endpoints: readonly EndpointHealth[];
  readonly pauses: readonly Pause[];
}

/** Kept for the next visit, where the browser allows it. Nobody else is asked whether they are one. */
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
 * True for whom the operator API has let in, now or at an earlier visit. Whoever comes to `/operator` for the first time
 * finds out there: no request is made for anybody else. The token of a link's session is that of an owner.
 */
export const isOperator = computed(
  () => capabilities.value === null && (isLetIn.value ?? known.read()),
);

/** Endpoints of anybody that fail, as of the latest overview. */
export const failingEndpoints = signal(0);

/** Calls the operator API. @throws {@link ApiError} */
export async function callOperator<Answer>(path: string, given: Call = {}): Promise<Answer> {
  try {
    const answer = await call<Answer>(operatorUrl!, path, given);
    if (isLetIn.value !== true) known.write((isLetIn.value = true));
    return answer;
  } catch (error) {
    // Other routes may be closed to operators as well.
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
  endpoint: (id: string, abort: AbortSignal) => get<Endpoint>(path('subscribers', id), {}, abort),
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
