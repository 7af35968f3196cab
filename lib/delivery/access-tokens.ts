import type { Clock } from '../common/time.js';
import { withTimeout } from '../common/waiting.js';
import { RecipientRefusedError } from '../errors/index.js';
import type { OAuth2Auth } from '../message/recipient.js';
import { AttemptError, OWN_ERRORS } from './attempt/attempt.js';
import type { WebhookHttpClient, WebhookResponse } from './http/webhook-http-client.js';
import type { RecipientPolicy } from './recipient-policy/recipient-policy.js';

/** The longest time before its end at which a token is used no more, in milliseconds. */
const MAX_MARGIN = 30_000;
/** Milliseconds that a token is used whose answer names no end. */
const UNNAMED_END = 3_600_000;
/** Milliseconds for which a failed request answers for those after it. */
const FAILURE_KEPT = 1000;
const MAX_TOKEN_LENGTH = 8192;
/** The error codes of RFC 6749, section 5.2. Any other text of a token endpoint may hold what it was sent. */
const ERRORS: ReadonlySet<unknown> = new Set([
  ...(['invalid_request', 'invalid_client', 'invalid_grant'] as const),
  ...(['unauthorized_client', 'unsupported_grant_type', 'invalid_scope'] as const),
]);

/** Where a token is needed. */
export interface TokenRequest {
  readonly subscriber: string;
  readonly auth: OAuth2Auth;
  /** Milliseconds that are left for the token. */
  readonly timeout: number;
  /** The policy that judges the token endpoint. Default: that of the client. */
  readonly policy: RecipientPolicy | undefined;
}

/** The token of one subscriber, or the request for it. */
interface Entry {
  readonly auth: OAuth2Auth;
  readonly token: Promise<string>;
  /** The token; null until it has come. */
  value: string | null;
  /** From then on the token, or the failure, is not used. */
  endsAt: number;
}

/**
 * The access tokens of subscribers that authenticate themselves by client credentials (RFC 6749, section 4.4). A token
 * stays in memory until shortly before its end, and one request is made for all deliveries that wait for it.
 */
export class AccessTokens {
  readonly #entries = new Map<string, Entry>();

  constructor(
    private readonly httpClient: WebhookHttpClient,
    private readonly clock: Clock,
    private readonly userAgent: string,
  ) {}

  /** @throws {@link AttemptError} with the reason `oauth-token` where no token comes in time */
  async of(request: TokenRequest): Promise<string> {
    return this.#within(request, this.#entryOf(request));
  }

  /**
   * The token that has to be waited for; null where {@link of} answers at once.
   *
   * @throws {@link AttemptError} as {@link of}
   */
  awaited(request: TokenRequest): Promise<string> | null {
    const entry = this.#entryOf(request);
    const isAwaited = entry.endsAt === Number.POSITIVE_INFINITY;
    return isAwaited ? Promise.resolve(this.#within(request, entry)) : null;
  }

  /**
   * A token in place of one that the endpoint has refused.
   *
   * @throws {@link AttemptError} as {@link of}
   */
  async renewed(request: TokenRequest, refused: string): Promise<string> {
    // Another delivery may have renewed it already.
    if (this.#entries.get(request.subscriber)?.value === refused) {
      this.#entries.delete(request.subscriber);
    }
    return this.of(request);
  }

  #entryOf(request: TokenRequest): Entry {
    const known = this.#entries.get(request.subscriber);
    const isUsable =
      known !== undefined && isSame(known.auth, request.auth) && this.clock.now() < known.endsAt;
    return isUsable ? known : this.#ask(request);
  }

  #within({ timeout }: TokenRequest, { value, token }: Entry): Promise<string> | string {
    return (
      value ??
      withTimeout(timeout, token, () => {
        throw noToken('timeout');
      })
    );
  }

  #ask(request: TokenRequest): Entry {
    const now = this.clock.now();
    for (const [subscriber, { endsAt }] of this.#entries) {
      if (endsAt <= now) this.#entries.delete(subscriber);
    }
    const asked = this.#post(request);
    const entry: Entry = {
      ...{ auth: request.auth, value: null, endsAt: Number.POSITIVE_INFINITY },
      token: asked.then(
        ({ token, lifetime }) => {
          entry.endsAt = now + lifetime - Math.min(MAX_MARGIN, lifetime / 10);
          return (entry.value = token);
        },
        (error: unknown) => {
          entry.endsAt = this.clock.now() + FAILURE_KEPT;
          throw error;
        },
      ),
    };
    this.#entries.set(request.subscriber, entry);
    return entry;
  }

  async #post({ auth, timeout, policy }: TokenRequest): Promise<GivenToken> {
    const { tokenUrl: url, clientId, clientSecret, scope } = auth;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      ...(scope !== undefined && { scope }),
    });
    let answer: WebhookResponse;
    try {
      answer = await this.httpClient.post({
        url,
        headers: {
          Accept: 'application/json',
          Authorization: basic(encoded(clientId), encoded(clientSecret)),
          'Content-Type': 'application/x-www-form-urlencoded',
          'User-Agent': this.userAgent,
        },
        body: Buffer.from(form.toString()),
        timeout: Math.max(1, Math.ceil(timeout)),
        keepAlive: true,
        ...(policy !== undefined && { policy }),
      });
    } catch (error) {
      throw notAnswered(error);
    }
    return tokenIn(answer);
  }
}

/** The value of `Authorization` for a name and a password. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

interface GivenToken {
  readonly token: string;
  /** Milliseconds. */
  readonly lifetime: number;
}

/** @throws {@link AttemptError} unless the answer has a token, as RFC 6749, section 5.1, describes it */
function tokenIn({ status, body, truncated }: WebhookResponse): GivenToken {
  let answer: Readonly<Record<string, unknown>>;
  try {
    answer = (JSON.parse(body.toString()) ?? {}) as Record<string, unknown>;
  } catch {
    // The engine's own error quotes the text, which may hold a token.
    answer = {};
  }
  const { access_token: token, token_type: type, expires_in: seconds, error } = answer;
  if (status !== 200) {
    throw noToken(ERRORS.has(error) ? `${status} ${String(error)}` : String(status));
  }
  const isToken =
    typeof token === 'string' && token.length <= MAX_TOKEN_LENGTH && /^[\x21-\x7e]+$/.test(token);
  if (truncated || !isToken) throw noToken('no access_token in its answer');
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw noToken('no token_type Bearer in its answer');
  }
  const isNamed = Number.isFinite(Number(seconds ?? Number.NaN));
  return { token, lifetime: isNamed ? Math.max(0, Number(seconds) * 1000) : UNNAMED_END };
}

/** An error that says nothing about the token endpoint stays as it is. */
function notAnswered(error: unknown): unknown {
  if (error instanceof RecipientRefusedError) {
    return new AttemptError('oauth-token', `The token endpoint is refused: ${error.explanation}.`);
  }
  return error instanceof AttemptError && !OWN_ERRORS.has(error.reason)
    ? noToken(error.reason)
    : error;
}

function noToken(why: string): AttemptError {
  return new AttemptError('oauth-token', `The token endpoint gave no token (${why}).`);
}

/** The form of RFC 6749, section 2.3.1. */
function encoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

function isSame(one: OAuth2Auth, other: OAuth2Auth): boolean {
  return (
    one === other ||
    (one.tokenUrl === other.tokenUrl &&
      one.clientId === other.clientId &&
      one.clientSecret === other.clientSecret &&
      one.scope === other.scope)
  );
}
