import type { Attempt, AttemptErrorCode } from './attempt.js';
import type { FailureReason } from './delivery-status.js';

/**
 * {@link AttemptErrorCode} as the owner of an endpoint may see it. `unreachable` stands for everything that would tell
 * what lies behind a name or an address: refused by the policy, refused by the machine, no way there, no such name.
 */
export type OwnerErrorCode = Exclude<
  AttemptErrorCode,
  'recipient-refused' | 'connection-refused' | 'name-not-resolved' | 'proxy'
>;

/** {@link FailureReason} as the owner of an endpoint may see it. */
export type OwnerFailureReason = Exclude<FailureReason, 'refused'>;

/** What the owner of an endpoint may see of an attempt; `Response` is bytes or text, as it was. */
export interface OwnerAttempt<Response> {
  /** When it began, in milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Milliseconds; null when the endpoint was unreachable: how long it took would tell why. */
  readonly duration: number | null;
  readonly status: number | null;
  readonly error: { readonly code: OwnerErrorCode; readonly message: string } | null;
  readonly response: Response;
}

const TEXTS: Readonly<Record<OwnerErrorCode, string>> = {
  timeout: 'The endpoint did not answer in time',
  'connection-reset': 'The connection was lost before the answer was complete',
  unreachable: 'The endpoint could not be reached',
  tls: 'No trusted TLS connection could be made',
  protocol: 'The endpoint’s answer is not valid HTTP',
  unencodable: 'The message could not be encoded',
  internal: 'The request could not be made',
};

/**
 * An attempt as the owner of its endpoint may see it: without the dialled address, and with blocked, refused and
 * unreachable looking the same. For whatever is shown to users, such as a REST API; operators see the attempt itself.
 *
 * @param attempt an attempt, or what a log keeps of one
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
}: Pick<Attempt, 'startedAt' | 'duration' | 'status' | 'error'> & {
  readonly response: Response;
}): OwnerAttempt<Response> {
  if (error === null) return { startedAt, duration, status, error, response };
  const code = ownerCode(error.code);
  return {
    startedAt,
    duration: code === 'unreachable' ? null : duration,
    status,
    error: { code, message: `${TEXTS[code]}${certificateFault(code, error.message)}.` },
    response,
  };
}

/**
 * Why a delivery ended without success, as the owner of its endpoint may see it: a refused recipient gets no further
 * attempt, and looks like one whose attempts are used up.
 */
export function ownerReason(reason: FailureReason | null): OwnerFailureReason | null {
  return reason === 'refused' ? 'exhausted' : reason;
}

/** OpenSSL's word for what is wrong with the endpoint's certificate: its owner is who can mend it. */
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
