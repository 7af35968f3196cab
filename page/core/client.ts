import { signal } from '@preact/signals';
import { compareClock } from './clock.js';
import { apiUrl } from './settings.js';

/** The body of a problem, as the API answers it. */
interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly field: string; readonly reason: string }[];
}

/** An answer that is not a success, or no answer: then `status` is 0. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: ProblemBody = {},
  ) {
    super(problem.detail ?? '');
  }

  /** The reason why the API refuses a field, or undefined. */
  reasonOf(field: string): string | undefined {
    return this.problem.errors?.find((one) => one.field === field)?.reason;
  }
}

/** The header that lets the caller in; null: the cookies of the application do. It lives in memory only. */
export const authorization = signal<string | null>(null);
/** True after the API has answered 401: the caller is not, or no longer, let in. */
export const isLockedOut = signal(false);
/** True while the API does not answer. */
export const isAway = signal(false);

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly body?: object;
  readonly signal?: AbortSignal;
  readonly query?: Readonly<Record<string, string | undefined>>;
}

/** Calls the API. @throws {@link ApiError} */
export async function call<Answer>(base: URL, path: string, given: Call = {}): Promise<Answer> {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(given.query ?? {})) {
    if (value) url.searchParams.set(name, value);
  }
  const response = await send(url, given);
  isAway.value = false;
  compareClock(response.headers.get('date'));
  const text = await response.text();
  const answer: unknown = isJson(response) && text !== '' ? JSON.parse(text) : undefined;
  if (response.ok) return answer as Answer;
  if (response.status === 401 && base === apiUrl) isLockedOut.value = true;
  throw new ApiError(response.status, answer ?? {});
}

async function send(url: URL, { method = 'GET', body, signal: abort }: Call): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(authorization.value !== null && { authorization: authorization.value }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(abort !== undefined && { signal: abort }),
    });
  } catch (error) {
    if (abort?.aborted === true) throw error;
    isAway.value = true;
    throw new ApiError(0);
  }
}

function isJson(response: Response): boolean {
  return /^application\/(?:problem\+)?json\b/.test(response.headers.get('content-type') ?? '');
}
