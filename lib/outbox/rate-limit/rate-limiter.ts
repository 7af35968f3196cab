import type { RateAnswer, RateAsk } from './permits.js';

/** What a process wants, by the id of the subscriber. */
export type RateAsks = ReadonlyMap<string, RateAsk>;
/** What it gets, by the id of the subscriber. */
export type RateAnswers = ReadonlyMap<string, RateAnswer>;

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
  abstract take(asks: RateAsks, now: number): Promise<RateAnswers>;
}
