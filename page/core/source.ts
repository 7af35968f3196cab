import { call } from './client.js';
import type {
  AttemptHistory,
  Changed,
  Created,
  Endpoint,
  EndpointPage,
  FilterPreview,
  Replay,
  Stats,
  TestResult,
  WithSecret,
} from './model.js';
import { apiUrl } from './settings.js';

export type Query = Readonly<Record<string, string | undefined>>;

/** Calls of the REST API for the owner of endpoints. */
export const owner = {
  endpoints: (query: Query, signal?: AbortSignal) => get<EndpointPage>('', query, signal),
  endpoint: (id: string, signal?: AbortSignal) => get<Endpoint>(path(id), {}, signal),
  create: (body: object) => call<Created>(apiUrl, '', { method: 'POST', body }),
  update: (id: string, body: object) => call<Changed>(apiUrl, path(id), { method: 'PATCH', body }),
  remove: (id: string) => call<undefined>(apiUrl, path(id), { method: 'DELETE' }),
  enable: (id: string) => post<Endpoint>(path(id, 'enable')),
  disable: (id: string) => post<Endpoint>(path(id, 'disable')),
  challenge: (id: string) => post<Endpoint>(path(id, 'challenge')),
  rotate: (id: string, overlap: number) => post<WithSecret>(path(id, 'rotate-secret'), { overlap }),
  test: (id: string, event: string | undefined) =>
    post<TestResult>(path(id, 'test'), event === undefined ? {} : { event }),
  stats: (id: string, days: number, signal?: AbortSignal) =>
    get<Stats>(path(id, 'stats'), { days: String(days) }, signal),
  figures: (query: Query, signal?: AbortSignal) => get<AttemptHistory>('stats', query, signal),
  previewFilter: (body: object) => post<FilterPreview>('filter-preview', body),
  bulk: (id: string, kind: 'recover' | 'backfill', body: object) =>
    post<Replay>(path(id, kind), body),
};

/** Every id is a segment: what an address holds cannot lead to another route. */
export function path(...segments: readonly string[]): string {
  return segments.map(encodeURIComponent).join('/');
}

function get<Answer>(to: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
  return call<Answer>(apiUrl, to, { query, ...(signal && { signal }) });
}

function post<Answer>(to: string, body: object = {}): Promise<Answer> {
  return call<Answer>(apiUrl, to, { method: 'POST', body });
}
