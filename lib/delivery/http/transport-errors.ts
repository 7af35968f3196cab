import { RecipientRefusedError } from '../../errors/index.js';
import { AttemptError, type AttemptErrorCode } from '../attempt/attempt.js';

const TEXTS: Readonly<Record<AttemptErrorCode, string>> = {
  timeout: 'The endpoint did not answer in time',
  'connection-refused': 'The endpoint refused the connection',
  'connection-reset': 'The connection was lost before the answer was complete',
  unreachable: 'The endpoint could not be reached',
  'name-not-resolved': 'The name of the endpoint’s host could not be resolved',
  tls: 'No trusted TLS connection could be made',
  protocol: 'The endpoint’s answer is not valid HTTP',
  proxy: 'The egress proxy could not be used',
  'recipient-refused': 'The recipient is refused',
  'oauth-token': 'The token endpoint gave no token',
  unencodable: 'The message could not be encoded',
  'too-large': 'The body is larger than the format of the subscriber allows',
  internal: 'The application could not send the request',
};

const CODES: Readonly<Record<string, AttemptErrorCode>> = {
  ECONNREFUSED: 'connection-refused',
  ECONNRESET: 'connection-reset',
  ECONNABORTED: 'connection-reset',
  EPIPE: 'connection-reset',
  UND_ERR_SOCKET: 'connection-reset',
  ENOTFOUND: 'name-not-resolved',
  ENODATA: 'name-not-resolved',
  ESERVFAIL: 'name-not-resolved',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'unreachable',
  EPERM: 'unreachable',
  EPROTO: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  INVALID_CA: 'tls',
  INVALID_PURPOSE: 'tls',
  PATH_LENGTH_EXCEEDED: 'tls',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'protocol',
};

const FAMILIES: readonly (readonly [pattern: RegExp, code: AttemptErrorCode])[] = [
  [/^EAI_/, 'name-not-resolved'],
  // OpenSSL's certificate errors: https://nodejs.org/api/tls.html#x509-certificate-error-codes
  [/^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|ERROR_IN_|UNABLE_TO_)|SELF_SIGNED/, 'tls'],
];

/**
 * Converts a failure of a request without an answer to the library's own errors.
 *
 * @param cause the error of the socket, TLS, the parser or the look-up
 * @param address the dialled address, when known
 * @returns policy refusals unchanged; everything else as an {@link AttemptError}
 */
export function toAttemptError(
  cause: unknown,
  address: string | null,
): AttemptError | RecipientRefusedError {
  if (isOwnError(cause)) return cause;
  return attemptError(codeOf(cause), addressOf(cause) ?? address, errnoOf(cause));
}

/** Converts a failed look-up: only name servers fail, so the codes of sockets would mislead. */
export function toLookupError(cause: unknown): AttemptError | RecipientRefusedError {
  return isOwnError(cause) ? cause : attemptError('name-not-resolved', null, errnoOf(cause));
}

function isOwnError(cause: unknown): cause is AttemptError | RecipientRefusedError {
  return cause instanceof AttemptError || cause instanceof RecipientRefusedError;
}

/** Tells whether undici's parser has thrown because the answer is impossible, for example one with the status 000. */
export function isParserAssertion(cause: unknown): boolean {
  return errnoOf(cause) === 'ERR_ASSERTION';
}

/** Creates the error of the given code; `detail` is a system error code, such as `ECONNREFUSED`. */
export function attemptError(
  code: AttemptErrorCode,
  address: string | null,
  detail: string | null = null,
): AttemptError {
  const text = TEXTS[code];
  return new AttemptError(code, detail === null ? `${text}.` : `${text} (${detail}).`, { address });
}

function codeOf(cause: unknown): AttemptErrorCode {
  if (cause instanceof Error && cause.name === 'HTTPParserError') return 'protocol';
  const errno = errnoOf(cause);
  if (errno === null) return 'internal';
  // The HTTP parser reports an unexpected 100 or 101 as an error of the socket.
  if (errno === 'UND_ERR_SOCKET' && /^bad (response|upgrade)/.test((cause as Error).message)) {
    return 'protocol';
  }
  return CODES[errno] ?? FAMILIES.find(([pattern]) => pattern.test(errno))?.[1] ?? 'internal';
}

function errnoOf(cause: unknown): string | null {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : null;
}

function addressOf(cause: unknown): string | null {
  // A connection that tries several addresses reports one AggregateError.
  const first: unknown = cause instanceof AggregateError ? cause.errors.at(-1) : cause;
  const { address } = (first ?? {}) as { address?: unknown };
  return typeof address === 'string' ? address : null;
}
