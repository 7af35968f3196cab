import type { PermitGrant, PermitRequest } from './permits.js';

/** What a process wants, by the id of the subscriber. */
export type PermitRequests = ReadonlyMap<string, PermitRequest>;
/** What it gets, by the id of the subscriber. */
export type PermitGrants = ReadonlyMap<string, PermitGrant>;

/**
 * Gives turns to whoever wants to make attempts at subscribers with a limit: of all processes together, none is given
 * more than `giveTurns()` allows, whatever their order.
 */
export abstract class RateLimiter {
  /**
   * @param now by the clock of the caller, in milliseconds since the Unix epoch
   * @returns an answer for each of `asks`
   * @throws what keeps it from answering; nothing may begin then
   */
  abstract take(asks: PermitRequests, now: number): Promise<PermitGrants>;
}
