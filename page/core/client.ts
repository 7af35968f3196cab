import { signal } from '@preact/signals';
import { compareClock, now } from './clock.js';
import type { Facts, Refusal } from './refusals.js';
import { apiUrl } from './settings.js';
import { askAgain, setTrouble } from './troubles.js';

/** The body of a problem, as the API answers it. */
interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly data?: Facts;
  readonly errors?: readonly Refusal[];
}

/** An answer that is not a success. `status` is 0 when no answer came, and -1 for an answer that cannot be read. */
export class ApiError extends Error {
  /** When the answer came, in milliseconds since the Unix epoch. */
  readonly at = now();

  constructor(
    readonly status: number,
    readonly problem: ProblemBody = {},
    /** The time to wait before the next request, in milliseconds; null when the answer names none. */
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail ?? '');
  }

  /** Why the API refuses a field, or undefined. */
  refusalOf(field: string): Refusal | undefined {
    return this.problem.errors?.find((one) => one.field === field);
  }

  /**
   * Makes an {@link ApiError} of any thrown value. A value that is no answer is a fault of the page, and is written to
   * the console.
   */
  static of(failure: unknown): ApiError {
    if (failure instanceof ApiError) return failure;
    reportError(failure);
    return new ApiError(-1);
  }
}

/** The value of the header `Authorization`; null when cookies of the application let the caller in. */
export const authorization = signal<string | null>(null);
/** True after the API has answered 401: the caller is not signed in, or no longer. */
export const isLockedOut = signal(false);
/** True once the API has let the caller in. */
export const wasLetIn = signal(false);

/** The time until a failed request is repeated, in milliseconds. */
export const RETRY = 3000;

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly query?: Readonly<Record<string, string | undefined>>;
}

/** Calls the API. @throws {@link ApiError} */
export async function call<Answer>(base: URL, path: string, given: Call = {}): Promise<Answer> {
  return (await callForTag<Answer>(base, path, given)).answer;
}

/** Calls the API like {@link call}, and also returns the entity tag of the answer. */
export async function callForTag<Answer>(
  base: URL,
  path: string,
  given: Call = {},
): Promise<{ readonly answer: Answer; readonly tag: string | null }> {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(given.query ?? {})) {
    if (value) url.searchParams.set(name, value);
  }
  try {
    const response = await send(url, given);
    setAway(false);
    compareClock(response.headers.get('date'));
    const answer = await readAnswer(response, given);
    if (base === apiUrl) wasLetIn.value = true;
    return { answer: answer as Answer, tag: tagOf(response) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 401 && base === apiUrl) {
      isLockedOut.value = true;
    }
    throw error;
  }
}

async function readAnswer(response: Response, { method = 'GET', signal }: Call): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  const isJson = /^application\/(?:problem\+)?json\b/.test(type);
  let answer: unknown;
  try {
    const text = await response.text();
    if (isJson && text !== '') answer = JSON.parse(text);
    else if (response.ok && (method === 'GET' || text !== '')) {
      // An HTML document instead of JSON is a page for signing in, of the application or of a proxy.
      throw new ApiError(/^text\/html\b/.test(type) ? 401 : -1);
    }
  } catch (error) {
    if (error instanceof ApiError || signal?.aborted === true) throw error;
    // The body was cut, or does not have the form that its type says.
    throw new ApiError(response.ok ? -1 : response.status, {}, retryAfterOf(response));
  }
  if (response.ok) return answer;
  throw new ApiError(response.status, answer ?? {}, retryAfterOf(response));
}

async function send(url: URL, given: Call): Promise<Response> {
  const { method = 'GET', body, headers, signal: abort } = given;
  const options: RequestInit = {
    method,
    credentials: 'same-origin',
    headers: {
      accept: 'application/json',
      ...(authorization.value !== null && { authorization: authorization.value }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(abort !== undefined && { signal: abort }),
  };
  try {
    return await fetch(url, options);
  } catch (error) {
    if (abort?.aborted === true) throw error;
    if (method === 'GET' && (await isLedAway(url, options))) throw new ApiError(401);
    setAway(true);
    throw new ApiError(0);
  }
}

/**
 * The entity tag as the API has made it. A server that compresses answers may make the tag weak, or append its own name
 * to it.
 */
function tagOf({ headers }: Response): string | null {
  const found = /^(?:W\/)?"([\w-]{22})/.exec(headers.get('etag') ?? '');
  return found === null ? null : `"${found[1]}"`;
}

/** Tells whether a request was redirected to another origin for signing in. Browsers only report that the request failed. */
async function isLedAway(url: URL, options: RequestInit): Promise<boolean> {
  const answer = await fetch(url, { ...options, redirect: 'manual' }).catch(() => null);
  return answer?.type === 'opaqueredirect';
}

/** `Retry-After` is in seconds, or a date by the server's clock. */
function retryAfterOf({ headers }: Response): number | null {
  const given = headers.get('retry-after');
  if (given === null) return null;
  const wait = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - now();
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

let isAway = false;
let looking: ReturnType<typeof setTimeout> | undefined;

/** Notes whether the server answers. While it does not, the page asks again, since some screens read only once. */
export function setAway(away: boolean): void {
  clearTimeout(looking);
  if (away) looking = setTimeout(lookAgain, RETRY);
  if (away === isAway) return;
  isAway = away;
  setTrouble(setAway, away ? { error: new ApiError(0), again: lookAgain } : undefined);
  if (!away) askAgain(true);
}

function lookAgain(): void {
  send(new URL('event-types', apiUrl), {}).then(
    () => setAway(false),
    (error: unknown) => error instanceof ApiError && error.status !== 0 && setAway(false),
  );
}
