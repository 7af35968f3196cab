import type { PermitRequest } from '../../lib/outbox/rate-limit/permits.js';

/** What a process asks for, of a limit of `max` in `per` milliseconds; for nothing, unless told otherwise. */
export function asking(
  max: number,
  per: number,
  different: Partial<PermitRequest> = {},
): PermitRequest {
  return {
    limit: { max, per },
    since: 0,
    waited: 0,
    fresh: 0,
    waitedRetries: 0,
    freshRetries: 0,
    historyUnknownSince: null,
    ...different,
  };
}
