import { call, callForTag } from './client.js';
import type {
  AttemptHistory,
  Change,
  Changed,
  Created,
  Endpoint,
  EndpointOverview,
  EndpointPage,
  EventDetails,
  FilterPreview,
  Replay,
  Stats,
  TestResult,
  WithSecret,
} from './model.js';
import { apiUrl } from './settings.js';
import type { Page } from './use-pages.js';

export type Query = Readonly<Record<string, string | undefined>>;

/** Asks for the attempts of 24 hours beside each endpoint. */
export const WITH_LAST_DAY = { figures: 'lastDay' } as const;

/** An endpoint with the tag of its present state. */
export interface TaggedEndpoint {
  readonly endpoint: Endpoint;
  readonly tag: string | null;
}

/** Calls of the REST API for the owner of endpoints. */
export const owner = {
  endpoints: (query: Query, signal?: AbortSignal) => get<EndpointPage>('', query, signal),
  endpoint: async (
    id: string,
    signal?: AbortSignal,
    query: Query = {},
  ): Promise<TaggedEndpoint> => {
    const { answer, tag } = await callForTag<Endpoint>(apiUrl, path(id), {
      query,
      ...(signal && { signal }),
    });
    return { endpoint: answer, tag };
  },
  create: (body: object, key: string) => once<Created>('', body, key),
  /** Changes an endpoint, unless it was changed since it was read. */
  update: (id: string, body: object, tag: string | null) =>
    call<Changed>(apiUrl, path(id), {
      method: 'PATCH',
      body,
      ...(tag !== null && { headers: { 'if-match': tag } }),
    }),
  remove: (id: string) => call<undefined>(apiUrl, path(id), { method: 'DELETE' }),
  enable: (id: string) => post<Endpoint>(path(id, 'enable')),
  disable: (id: string) => post<Endpoint>(path(id, 'disable')),
  challenge: (id: string) => post<Endpoint>(path(id, 'challenge')),
  rotate: (id: string, body: object, key: string) =>
    once<WithSecret>(path(id, 'rotate-secret'), body, key),
  endRotation: (id: string) => post<Endpoint>(path(id, 'end-rotation')),
  test: (id: string, body: object) => post<TestResult>(path(id, 'test'), body),
  eventType: (name: string, signal: AbortSignal) =>
    get<EventDetails>(path('event-types', name), {}, signal),
  changes: (id: string, query: Query, signal: AbortSignal) =>
    get<Page<Change>>(path(id, 'changes'), query, signal),
  stats: (id: string, days: number, signal?: AbortSignal) =>
    get<Stats>(path(id, 'stats'), { days: String(days) }, signal),
  figures: (query: Query, signal?: AbortSignal) => get<AttemptHistory>('stats', query, signal),
  overview: (signal?: AbortSignal) => get<EndpointOverview>('overview', {}, signal),
  previewFilter: (body: object) => post<FilterPreview>('filter-preview', body),
  bulk: (id: string, kind: 'recover' | 'backfill', body: object) =>
    post<Replay>(path(id, kind), body),
};

/** Makes a path. Every id is encoded as one segment, so that a text in the address cannot lead to another route. */
export function path(...segments: readonly string[]): string {
  return segments.map(encodeURIComponent).join('/');
}

function once<Answer>(to: string, body: object, key: string): Promise<Answer> {
  return call<Answer>(apiUrl, to, { method: 'POST', body, headers: { 'idempotency-key': key } });
}

function get<Answer>(to: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
  return call<Answer>(apiUrl, to, { query, ...(signal && { signal }) });
}

function post<Answer>(to: string, body: object = {}): Promise<Answer> {
  return call<Answer>(apiUrl, to, { method: 'POST', body });
}
