import type { RetrySettings } from '../../message/index.js';
import type { Attempt } from '../attempt/attempt.js';

/** The part of an attempt that decides how a delivery goes on. */
export type AttemptOutcome = Pick<Attempt, 'outcome' | 'status' | 'error' | 'retryAfter'>;

/** What a retry policy is asked after an attempt that did not succeed. */
export interface RetryQuestion {
  /** How many attempts of the delivery there have been, this one included: 1 after the first. */
  readonly attempt: number;
  /** What became of this one. */
  readonly outcome: AttemptOutcome;
  /** When it ended, in milliseconds since the Unix epoch. */
  readonly now: number;
  /** A random number from 0 (included) to 1 (not included), for jitter. */
  readonly random: number;
  /** What the event says about its own retries, if anything. */
  readonly settings?: RetrySettings | undefined;
}

/**
 * Decides when a delivery that failed is tried again, and when it has been tried often enough. Answers from the
 * question alone: the same question gets the same answer, in every process.
 *
 * Not asked about what ends a delivery anyway: success, 410, a refused recipient. A 429 is not counted as an attempt,
 * within bounds: the policy is then asked with a number that it has answered with a time before.
 *
 * Pluggable: this class is the injection token; the default is `StandardRetryPolicy`. Give another with
 * `ThornModule.forRoot({ retryPolicy: MyPolicy })`. Any implementation must pass `retryPolicyConformance`.
 */
export abstract class RetryPolicy {
  /**
   * Chance may put an attempt off and never bring it forward. Settings that say `false` get no retry, those that name a
   * `max` no more than that.
   *
   * @returns the time of the next attempt in milliseconds since the Unix epoch, not before `now`; or null for never,
   * which is then the answer for every higher attempt number as well, so that every delivery ends
   */
  abstract nextAttempt(question: RetryQuestion): number | null;
}
