import type { Attempt, AttemptErrorCode, FailureReason } from './attempt.js';

/**
 * The {@link AttemptErrorCode} that the owner of an endpoint may see. `unreachable` stands for several codes, because
 * their differences would reveal the network behind a name or an address: refused by the policy, refused by the
 * machine, no route, no such name.
 */
export type OwnerErrorCode = Exclude<
  AttemptErrorCode,
  'recipient-refused' | 'connection-refused' | 'name-not-resolved' | 'proxy'
>;

/** {@link FailureReason} as the owner of an endpoint may see it. */
export type OwnerFailureReason = Exclude<FailureReason, 'refused'>;

/** An attempt as the owner of an endpoint may see it; `Response` is bytes or text, as in the attempt. */
export interface OwnerAttempt<Response> {
  /** The start of the attempt, in milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Milliseconds; null when the endpoint was unreachable, because the duration would reveal the reason. */
  readonly duration: number | null;
  /** The status of the answer, or null without an answer. */
  readonly status: number | null;
  /** The error of an attempt without an answer, or null. The text names no address. */
  readonly error: { readonly code: OwnerErrorCode; readonly message: string } | null;
  /** The beginning of the answer. */
  readonly response: Response;
  /** Headers of the answer, names in lower case; null without any that are kept. */
  readonly answerHeaders: Attempt['answerHeaders'];
}

const TEXTS: Readonly<Record<OwnerErrorCode, string>> = {
  timeout: 'The endpoint did not answer in time',
  'connection-reset': 'The connection was lost before the answer was complete',
  unreachable: 'The endpoint could not be reached',
  tls: 'No trusted TLS connection could be made',
  protocol: 'The endpoint’s answer is not valid HTTP',
  unencodable: 'The message could not be encoded',
  'too-large': 'The body is larger than the endpoint takes',
  internal: 'The request could not be made',
};

/**
 * An attempt as the owner of its endpoint may see it: without the dialled address, and with the same code for blocked,
 * refused and unreachable addresses. Use it for everything that users see, such as a REST API; operators may see the
 * attempt itself.
 *
 * @param attempt an attempt, or its record in a log
 * @example
 * ```ts
 * const { attempts } = (await deliveries.findById(id, { owner }))!;
 * return attempts.map((attempt) => ({ number: attempt.number, ...ownerView(attempt) }));
 * ```
 */
export function ownerView<Response>({
  startedAt,
  duration,
  status,
  error,
  response,
  answerHeaders,
}: Pick<Attempt, 'startedAt' | 'duration' | 'status' | 'error' | 'answerHeaders'> & {
  readonly response: Response;
}): OwnerAttempt<Response> {
  if (error === null) return { startedAt, duration, status, error, response, answerHeaders };
  const code = ownerCode(error.code);
  return {
    startedAt,
    duration: code === 'unreachable' ? null : duration,
    status,
    error: { code, message: `${TEXTS[code]}${certificateFault(code, error.message)}.` },
    response,
    answerHeaders,
  };
}

/** The failure reason as the owner of the endpoint may see it: a refused delivery is reported as exhausted. */
export function ownerReason(reason: FailureReason | null): OwnerFailureReason | null {
  return reason === 'refused' ? 'exhausted' : reason;
}

/** The OpenSSL code of a fault in the endpoint's certificate, which the owner can fix. */
function certificateFault(code: OwnerErrorCode, message: string): string {
  const word = code === 'tls' ? /\(([A-Z][A-Z0-9_]+)\)\.?$/.exec(message)?.[1] : undefined;
  return word === undefined ? '' : ` (${word})`;
}

function ownerCode(code: AttemptErrorCode): OwnerErrorCode {
  switch (code) {
    case 'recipient-refused':
    case 'connection-refused':
    case 'name-not-resolved':
    case 'proxy':
      return 'unreachable';
    default:
      // A stored code may be newer than this version.
      return Object.hasOwn(TEXTS, code) ? code : 'internal';
  }
}
