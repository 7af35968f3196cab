import type { RetrySettings } from '../../message/index.js';
import type { Attempt } from '../attempt/attempt.js';

/** The part of an attempt that decides how a delivery goes on. */
export type AttemptOutcome = Pick<Attempt, 'outcome' | 'status' | 'error' | 'retryAfter'>;

/** The input of a retry policy, after an attempt that did not succeed. */
export interface RetryQuestion {
  /** The number of attempts of the delivery, including this one: 1 after the first. */
  readonly attempt: number;
  /** The result of this attempt. */
  readonly outcome: AttemptOutcome;
  /** The end of this attempt, in milliseconds since the Unix epoch. */
  readonly now: number;
  /** A random number from 0 (included) to 1 (not included), for jitter. */
  readonly random: number;
  /** The event's own retry settings, if any. */
  readonly settings?: RetrySettings | undefined;
}

/**
 * Decides when a failed delivery is retried, and when to give up. The answer depends on the question alone: every
 * process gives the same answer to the same question.
 *
 * The policy is not asked when a delivery ends anyway: success, 410, a refused recipient. A 429 does not count as an
 * attempt, within bounds: the policy then gets an attempt number that it has answered before.
 *
 * Pluggable: this class is the injection token; the default is `StandardRetryPolicy`. Replace it with
 * `ThornModule.forRoot({ retryPolicy: MyPolicy })`.
 */
export abstract class RetryPolicy {
  /**
   * Returns the time of the next attempt. Randomness may only postpone an attempt. Settings of `false` allow no retry;
   * settings with `max` allow at most that many.
   *
   * @returns milliseconds since the Unix epoch, not before `now`; or null for never. After null, every higher attempt
   * number must get null as well, so that every delivery ends
   */
  abstract nextAttempt(question: RetryQuestion): number | null;
}
