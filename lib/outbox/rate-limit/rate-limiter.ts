import type { PermitGrant, PermitRequest } from './permits.js';

/** The requests of a process, by the id of the subscriber. */
export type PermitRequests = ReadonlyMap<string, PermitRequest>;
/** The grants to a process, by the id of the subscriber. */
export type PermitGrants = ReadonlyMap<string, PermitGrant>;

/**
 * Grants permits for attempts at subscribers with a rate limit. All processes together get no more than
 * {@link grantPermits} allows, whatever their order.
 */
export abstract class RateLimiter {
  /**
   * @param now by the clock of the caller, in milliseconds since the Unix epoch
   * @returns a grant for each of `requests`
   * @throws when the limiter cannot be reached; no attempt may begin then
   */
  abstract grant(requests: PermitRequests, now: number): Promise<PermitGrants>;
}
