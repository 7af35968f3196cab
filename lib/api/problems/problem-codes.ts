import { STATUS_CODES } from 'node:http';

/** Every code of a problem, with the status that it is answered with. {@link MEANINGS} explains each. */
export const PROBLEM_CODES = {
  'invalid-request': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'subscriber-limit': 409,
  'host-limit': 409,
  'endpoint-unverified': 409,
  'delivery-under-way': 409,
  'delivery-finished': 409,
  'message-expunged': 409,
  'subscriber-disabled': 409,
  'request-under-way': 409,
  'no-encryption-key': 409,
  'cursor-expired': 410,
  'precondition-failed': 412,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  'idempotency-key-reused': 422,
  'too-many-tests': 429,
  'too-many-requests': 429,
  'internal-error': 500,
  'no-delivery-log': 501,
  'no-history': 501,
  unavailable: 503,
  refused: null,
} as const satisfies Readonly<Record<string, number | null>>;

/** The sentence that explains each code, as docs/rest/problems.md has it. */
export const MEANINGS: Readonly<Record<keyof typeof PROBLEM_CODES, string>> = {
  'invalid-request':
    'The request is wrong, and nothing was stored. `errors` names every wrong field',
  unauthenticated: "There is no user, or a receiver's secret is wrong",
  forbidden: 'A guard of the application refuses',
  'not-found': 'It does not exist, or belongs to another owner',
  'subscriber-limit': 'The owner has as many subscribers as the limits allow',
  'host-limit': 'The owner has as many subscribers on this host as the limits allow',
  'endpoint-unverified': 'The endpoint has not answered its challenge',
  'delivery-under-way': 'An attempt of this delivery is under way',
  'delivery-finished': 'The delivery has ended: nothing is left to cancel',
  'message-expunged': 'The body of the message was dropped: nothing is left to send',
  'subscriber-disabled': 'The subscriber of this delivery is disabled, expired or removed',
  'request-under-way': 'A request with this `Idempotency-Key` is under way',
  'no-encryption-key': '`reseal` needs a key: the option `encryption.keys`',
  'cursor-expired':
    'Messages behind this cursor may be gone: begin again without it, or with `now`',
  'precondition-failed': 'The subscriber was changed since: its `ETag` is not in `If-Match`',
  'body-too-large': 'The body is larger than `bodyBytes`',
  'unsupported-media-type': 'The body is not declared as `application/json`',
  'idempotency-key-reused': 'The `Idempotency-Key` was used for another request',
  'too-many-tests': '`Retry-After` says in how many seconds the next test or challenge may go',
  'too-many-requests': 'A guard of the application, such as a throttler, refuses',
  'internal-error': "A bug or an outage; the application's log tells more, under `ThornApi`",
  'no-delivery-log': 'The application keeps no delivery log',
  'no-history': 'The application keeps no history of events',
  unavailable:
    'The application does not serve requests now, for example because its database is away',
  refused: 'A guard of the application refuses',
};

export type ProblemCode = keyof typeof PROBLEM_CODES;

/** Codes of exceptions that name none: those of guards, and of bugs. */
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
  if (typeof given === 'string' && Object.hasOwn(PROBLEM_CODES, given)) return given as ProblemCode;
  return BY_STATUS[status] ?? (status < 500 ? 'refused' : 'internal-error');
}

/** Explains a code to a reader; null for a code that there is not. */
export function explanationOf(code: string): string | null {
  if (!Object.hasOwn(PROBLEM_CODES, code)) return null;
  const status = PROBLEM_CODES[code as ProblemCode];
  const words = status === null ? 'any other status' : `${status} ${STATUS_CODES[status]}`;
  return `${code} (${words})\n\n${MEANINGS[code as ProblemCode]}.\n`;
}
