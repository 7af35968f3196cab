import { OptionChecks } from '../../common/option-checks.js';

const DAY = 24 * 60 * 60_000;

/** The recent health of a subscriber's endpoint. Every success resets both values. */
export interface HealthState {
  /** Start of the first failed attempt since the last success, in milliseconds since the Unix epoch; null when well. */
  readonly failingSince: number | null;
  /** The number of messages that have failed at least once since `failingSince`. */
  readonly failingMessages: number;
}

/**
 * The result of one attempt for the subscriber's health. Failures of this application, such as an error in a codec, are
 * left out: they say nothing about the endpoint.
 */
export interface HealthOutcome {
  /** `gone`: the endpoint answered 410. */
  readonly kind: 'succeeded' | 'failed' | 'gone';
  /** When the attempt began, in milliseconds since the Unix epoch. */
  readonly at: number;
  /** The start of the delivery's previous attempt, or null; shows whether its message is counted already. */
  readonly previousAttemptAt: number | null;
}

/** Rules for disabling a failing subscriber. */
export interface HealthRules {
  /**
   * The time in milliseconds for which every attempt must have failed before a subscriber is disabled; `Infinity` for
   * never. Default 5 days.
   */
  readonly disableAfter: number;
  /**
   * The number of messages that must have failed in this time as well, so that one bad message disables nothing.
   * Default 20.
   */
  readonly minMessages: number;
}

/** The change that the application is notified of. */
export type HealthNews = 'failing' | 'recovered' | 'disabled-gone' | 'disabled-failing';

/** The next state, and the change to announce. */
export interface HealthStep {
  readonly health: HealthState;
  /** `disabled-…`: the caller disables the subscriber. */
  readonly news: HealthNews | null;
}

const DEFAULTS: HealthRules = { disableAfter: 5 * DAY, minMessages: 20 };

/** The number of failing messages at which `subscriber-failing` is announced, once until the next success. */
const ANNOUNCED_AT = 1;

/** A subscriber that has not failed. */
export const WELL: HealthState = { failingSince: null, failingMessages: 0 };

/** Checks and completes the rules. @throws {@link ThornConfigurationError} naming the invalid rule */
export function healthRules(given: Partial<HealthRules> = {}): HealthRules {
  const rules = { ...DEFAULTS, ...given };
  const check = new OptionChecks('', 'health.');
  check.positive('disableAfter', rules.disableAfter, 'milliseconds');
  check.integer('minMessages', rules.minMessages);
  return rules;
}

/** Computes the health after one attempt. Pure: pass the outcomes in the order in which they are written. */
export function healthAfter(
  health: HealthState,
  { kind, at, previousAttemptAt }: HealthOutcome,
  rules: HealthRules,
): HealthStep {
  if (kind === 'succeeded') {
    return health.failingSince === null
      ? { health, news: null }
      : { health: WELL, news: health.failingMessages >= ANNOUNCED_AT ? 'recovered' : null };
  }
  const failingSince = Math.min(health.failingSince ?? at, at);
  const isCounted = previousAttemptAt !== null && previousAttemptAt >= failingSince;
  const failingMessages = health.failingMessages + (isCounted ? 0 : 1);
  const next = { failingSince, failingMessages };
  if (kind === 'gone') return { health: next, news: 'disabled-gone' };
  if (at - failingSince >= rules.disableAfter && failingMessages >= rules.minMessages) {
    return { health: next, news: 'disabled-failing' };
  }
  const isFirstTold = !isCounted && failingMessages === ANNOUNCED_AT;
  return { health: next, news: isFirstTold ? 'failing' : null };
}
