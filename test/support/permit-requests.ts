import type { PermitRequest } from '../../lib/outbox/wait/permits.js';

/** A process's request for permits of a limit of `max` in `per` milliseconds. Default: for no permits. */
export function permitRequest(
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
    ...different,
  };
}
