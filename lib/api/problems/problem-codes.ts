import { STATUS_CODES } from 'node:http';

/**
 * Every code of a problem: its status, and the sentence that explains it in docs/rest/problems.md. The status is null
 * for a code that stands for all other statuses.
 */
export const PROBLEMS = {
  'invalid-request': [
    400,
    'The request is wrong, and nothing was stored. `errors` names every wrong field',
  ],
  unauthenticated: [401, "There is no user, or a receiver's secret is wrong"],
  forbidden: [403, 'A guard of the application refuses'],
  'not-found': [404, 'It does not exist, or belongs to another owner'],
  'subscriber-limit': [409, 'The owner has as many subscribers as the limits allow'],
  'host-limit': [409, 'The owner has as many subscribers on this host as the limits allow'],
  'endpoint-unverified': [409, 'The endpoint has not answered its challenge'],
  'delivery-under-way': [409, 'An attempt of this delivery is under way'],
  'delivery-resent': [409, 'The delivery was resent within the last minute'],
  'delivery-finished': [409, 'The delivery has ended: nothing is left to cancel'],
  'message-expunged': [409, 'The body of the message was dropped: nothing is left to send'],
  'subscriber-disabled': [409, 'The subscriber of this delivery is disabled, expired or removed'],
  'request-under-way': [409, 'A request with this `Idempotency-Key` is under way'],
  'no-encryption-key': [409, '`reseal` needs a key: the option `encryption.keys`'],
  'cursor-expired': [
    410,
    'Messages behind this cursor may be gone: begin again without it, or with `now`',
  ],
  'precondition-failed': [412, 'The subscriber was changed since: its `ETag` is not in `If-Match`'],
  'body-too-large': [413, 'The body is larger than `bodyBytes`'],
  'unsupported-media-type': [415, 'The body is not declared as `application/json`'],
  'idempotency-key-reused': [422, 'The `Idempotency-Key` was used for another request'],
  'too-many-tests': [
    429,
    '`Retry-After` says in how many seconds the next test or challenge may go',
  ],
  'too-many-requests': [429, 'A guard of the application, such as a throttler, refuses'],
  'internal-error': [500, "A bug or an outage; the application's log tells more, under `ThornApi`"],
  'no-delivery-log': [501, 'The application keeps no delivery log'],
  'no-history': [501, 'The application keeps no history of events'],
  unavailable: [
    503,
    'The application does not serve requests now, for example because its database is away',
  ],
  refused: [null, 'A guard of the application refuses'],
} as const satisfies Readonly<Record<string, readonly [number | null, string]>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Codes of exceptions without a code, such as the exceptions of guards, and errors that are bugs. */
const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'invalid-request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  412: 'precondition-failed',
  413: 'body-too-large',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
  501: 'no-delivery-log',
  503: 'unavailable',
};

/** @param given the code that an exception carries, if any */
export function problemCode(status: number, given: unknown): ProblemCode {
  if (typeof given === 'string' && Object.hasOwn(PROBLEMS, given)) return given as ProblemCode;
  return BY_STATUS[status] ?? (status < 500 ? 'refused' : 'internal-error');
}

/** Explains a code to a reader; null for an unknown code. */
export function explanationOf(code: string): string | null {
  if (!Object.hasOwn(PROBLEMS, code)) return null;
  const [status, meaning] = PROBLEMS[code as ProblemCode];
  const words = status === null ? 'any other status' : `${status} ${STATUS_CODES[status]}`;
  return `${code} (${words})\n\n${meaning}.\n`;
}
