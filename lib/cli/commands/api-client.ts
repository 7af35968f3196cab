import { ThornError } from '../../errors/index.js';
import { UsageError, type Terminal } from './terminal.js';
import { type CommandOptions, type Given, parseTexts } from './command.js';

/** Thrown when the API refuses a request, or cannot be reached. */
export class ApiError extends ThornError {
  readonly code = 'THORN_API';

  // Made public: the base class is abstract.
  constructor(
    message: string,
    /** The status of the answer; undefined when there was no answer. */
    readonly status?: number,
  ) {
    super(message);
  }
}

export class ApiClient {
  constructor(
    private readonly url: string,
    private readonly headers: readonly (readonly [string, string])[],
  ) {}

  /**
   * @returns null when the route answers 501, because the application does not use that feature
   * @throws {@link ApiError} with the reason that the API gives
   */
  async get(path: string): Promise<Readonly<Record<string, unknown>> | null> {
    let response: Response;
    try {
      response = await fetch(`${this.url}/${path}`, {
        headers: this.headers as [string, string][],
      });
    } catch (error) {
      throw new ApiError(`the API was not reached: ${fetchFailure(error)}`);
    }
    const { ok, status } = response;
    if (status === 501) return null;
    const answer: unknown = await response.json().catch(() => undefined);
    if (!ok) throw new ApiError(`the API answers ${status}${reasonIn(answer)}`, status);
    if (typeof answer === 'object' && answer !== null) return answer as Record<string, unknown>;
    const shape = answer === undefined ? 'a body that is not JSON' : 'a single value';
    throw new ApiError(`the API answers ${status} with ${shape}: check its URL`, status);
  }
}

/** Why `fetch` failed: its own message is "fetch failed". */
export function fetchFailure(error: unknown): string {
  const { cause, message } = error as Error;
  if (!(cause instanceof Error)) return message;
  // When all addresses of a host fail, the message is empty and the failures are in a list.
  const [first] = cause instanceof AggregateError ? (cause.errors as Error[]) : [cause];
  return first?.message ?? message;
}

/** @throws {@link UsageError} for a URL with credentials, which `fetch` refuses in an error that repeats them */
export function parseUrl(text: string, name: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) return null;
  if (url.username === '' && url.password === '') return url;
  throw new UsageError(
    `${name} must not have a user name or password: give what authorizes with -H, or in the variable THORN_AUTHORIZATION`,
  );
}

/** @throws {@link UsageError} for a query or fragment, which the paths of the API would become a part of */
export function apiUrl(text: string | undefined, name: string): string | null {
  if (text === undefined || parseUrl(text, name) === null) return null;
  if (!/[?#]/.test(text)) return text.replace(/\/+$/, '');
  throw new UsageError(
    `${name} must have neither a query nor a fragment: leave out what follows the path`,
  );
}

/** The reason that a problem of RFC 9457, or an error of Nest, gives. */
function reasonIn(answer: unknown): string {
  const { detail, message, title } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  const reason = [detail, message, title].flat().find((one) => typeof one === 'string');
  return reason === undefined ? '' : `: ${reason}`;
}

export const headerOption = {
  header: {
    type: 'string',
    short: 'H',
    multiple: true,
    value: 'name: value',
    help: 'a header of each request. Authorization comes from THORN_AUTHORIZATION if it is not given',
  },
} as const satisfies CommandOptions;

/**
 * Reads the headers of `--header`, and the header of `--token`. The default is an environment variable, which lists of
 * processes do not show.
 */
export function readHeaders(
  given: Given,
  { env }: Terminal,
  token?: string,
): readonly (readonly [string, string])[] {
  const headers = parseTexts(given, 'header').map((text) => {
    const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(text) ?? [];
    if (name === undefined) throw new UsageError('--header must be "Name: value"');
    return [name, value!] as const;
  });
  const hasOwn = headers.some(([name]) => name.toLowerCase() === 'authorization');
  if (hasOwn && token !== undefined) {
    throw new UsageError('--token and --header both give Authorization: leave one of them out');
  }
  const authorization = token === undefined ? env['THORN_AUTHORIZATION'] : `Bearer ${token}`;
  return hasOwn || authorization === undefined
    ? headers
    : [['authorization', authorization], ...headers];
}
