import { type RetrySettings, MAX_RETRIES, MAX_RETRY_DELAY } from '../message/index.js';
import type { Attempt } from './attempt/attempt.js';
import { OptionChecks } from '../common/option-checks.js';

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
   * @returns milliseconds since the Unix epoch, not before `now`; or null for no further attempt. After a null, every
   *   higher attempt number must get null too, so that every delivery ends
   */
  abstract nextAttempt(question: RetryQuestion): number | null;
}

/**
 * Parses a `Retry-After` header (RFC 9110, section 10.2.3): whole seconds, or an HTTP date. The two obsolete forms of a
 * date, which servers have not sent since HTTP/1.1, are not read.
 *
 * @param value the header as received
 * @param now milliseconds since the Unix epoch
 * @returns milliseconds from `now`, 0 for a past date; null when the text is neither form
 */
export function parseRetryAfter(value: string, now: number): number | null {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  // JavaScript reads many other texts as a date, but writes a date in the form of HTTP alone.
  const isHttpDate = !Number.isNaN(date) && new Date(date).toUTCString() === value;
  return isHttpDate ? Math.max(0, date - now) : null;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DELAY = { min: 0, max: MAX_RETRY_DELAY, unit: 'milliseconds' };

/**
 * The schedule that Standard Webhooks recommends: the first attempt at once, then retries after 5 s, 5 min, 30 min, 2
 * h, 5 h, 10 h, 14 h, 20 h and 24 h.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const STANDARD_SCHEDULE: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** Options of {@link StandardRetryPolicy}. */
export interface StandardRetryPolicyOptions {
  /**
   * Milliseconds before each retry; the number of entries is the number of retries. The first attempt is made at once.
   * At most 100 entries, each up to 30 days. Default: 5 s, 5 min, 30 min, then 2, 5, 10, 14, 20 and 24 hours.
   */
  readonly schedule?: readonly number[];
  /** The maximum share of a delay, 0 to 1, that is added at random. Never subtracted. Default 0.1. */
  readonly jitter?: number;
  /**
   * The maximum delay in milliseconds that an endpoint's `Retry-After` may request, without jitter. 0 ignores the
   * header. Default 24 hours.
   */
  readonly retryAfterCap?: number;
}

/**
 * The default policy: a fixed schedule, jitter that is only ever added, and `Retry-After` honoured up to a cap but
 * never below the schedule's own delay.
 *
 * An event's own {@link RetrySettings} come first: `false` never retries, `max` sets the number of retries (the
 * schedule's last delay is repeated as needed), `delay` replaces every delay of the schedule.
 *
 * @example
 * ```ts
 * new StandardRetryPolicy({ schedule: [1_000, 10_000, 60_000], jitter: 0.2 });
 * ```
 */
export class StandardRetryPolicy extends RetryPolicy {
  readonly #schedule: readonly number[];
  readonly #jitter: number;
  readonly #retryAfterCap: number;

  /** @throws `ThornConfigurationError` naming the invalid option */
  constructor(options: StandardRetryPolicyOptions = {}) {
    super();
    const { schedule = STANDARD_SCHEDULE, jitter = 0.1, retryAfterCap = 24 * HOUR } = options;
    const check = new OptionChecks('', 'retries.');
    check.assert(
      'schedule',
      Array.isArray(schedule) && schedule.length <= MAX_RETRIES,
      `must be a list of at most ${MAX_RETRIES} delays in milliseconds`,
    );
    for (const [index, delay] of schedule.entries())
      check.integer(`schedule[${index}]`, delay, DELAY);
    check.number('jitter', jitter, { max: 1 });
    check.integer('retryAfterCap', retryAfterCap, DELAY);
    this.#schedule = [...schedule];
    this.#jitter = jitter;
    this.#retryAfterCap = retryAfterCap;
  }

  override nextAttempt({ attempt, outcome, now, random, settings }: RetryQuestion): number | null {
    const own = this.#scheduled(attempt, settings);
    if (own === null) return null;
    const delay = Math.max(own, this.#asked(outcome.retryAfter, now));
    return now + Math.round(delay * (1 + this.#jitter * random));
  }

  #scheduled(attempt: number, settings: RetrySettings | undefined): number | null {
    if (settings === false) return null;
    const { max = this.#schedule.length, delay } = settings ?? {};
    if (attempt > max) return null;
    return delay ?? this.#schedule[attempt - 1] ?? this.#schedule.at(-1) ?? 0;
  }

  #asked(retryAfter: string | null, now: number): number {
    const asked = retryAfter === null ? null : parseRetryAfter(retryAfter, now);
    return Math.min(asked ?? 0, this.#retryAfterCap);
  }
}
