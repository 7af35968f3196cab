import { guideLink } from '../../errors/index.js';

/** Every code of a problem, with the status that it is answered with. The guide explains each. */
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

/** The link that explains a code: `type` of the problem. */
export function problemType(code: ProblemCode): string {
  return guideLink('rest/problems', code);
}
