import { OptionChecks } from '../../common/option-checks.js';

const DAY = 24 * 60 * 60_000;

/** The recent health of a subscriber's endpoint. Every success resets both values. */
export interface HealthState {
  /** Start of the first failed attempt since the last success, in milliseconds since the Unix epoch; null when well. */
  readonly failingSince: number | null;
  /** The number of messages that have failed at least once since `failingSince`. */
  readonly failingMessages: number;
  /** The greatest share of the way to being disabled that was announced since then: 50, 75 or 90 percent; 0 before. */
  readonly announced: number;
}

/**
 * The result of one attempt for the subscriber's health. Failures of this application, such as an error in a codec, are
 * left out: they say nothing about the endpoint.
 */
export interface HealthOutcome {
  /**
   * `gone`: the endpoint answered 410. `over`: somebody else has disabled the subscriber, or its end has passed, so that
   * the earlier failures no longer count.
   */
  readonly kind: 'succeeded' | 'failed' | 'gone' | 'over';
  /** When the attempt began, in milliseconds since the Unix epoch. */
  readonly at: number;
  /** The start of the delivery's previous attempt, or null; shows whether its message is counted already. */
  readonly previousAttemptAt: number | null;
}

/** Rules for disabling a failing subscriber. */
export interface HealthRules {
  /**
   * The time in milliseconds for which every attempt must have failed before a subscriber is disabled; `Infinity` for
   * never, so that no `subscriber-failing` is told either. Default 5 days.
   */
  readonly disableAfter: number;
  /**
   * The number of messages that must have failed in this time as well, so that one bad message disables nothing.
   * Default 20.
   */
  readonly minMessages: number;
}

/**
 * The change that the application is notified of. `failing` comes at 50, 75 and 90 percent of the way to being disabled, each
 * once until the next success; `recovered` is the first success after a `failing`.
 */
export type HealthNews = 'failing' | 'recovered' | 'disabled-gone' | 'disabled-failing';

/** The next state, and the change to announce. */
export interface HealthStep {
  readonly health: HealthState;
  /** `disabled-…`: the caller disables the subscriber. */
  readonly news: HealthNews | null;
  /** Percent of the way to being disabled, from 0 to 100. */
  readonly share: number;
}

const DEFAULTS: HealthRules = { disableAfter: 5 * DAY, minMessages: 20 };

/** The shares of the way to being disabled at which `subscriber-failing` is announced, in percent. */
const ANNOUNCED_AT = [90, 75, 50];
/** The greatest share before a subscriber is disabled. */
const MOST_BEFORE = 99;

/** A subscriber that has not failed. */
export const WELL: HealthState = { failingSince: null, failingMessages: 0, announced: 0 };

/** Checks and completes the rules. @throws {@link ThornConfigurationError} naming the invalid rule */
export function healthRules(given: Partial<HealthRules> = {}): HealthRules {
  const rules = { ...DEFAULTS, ...given };
  const check = new OptionChecks('', 'health.');
  check.positive('disableAfter', rules.disableAfter, 'milliseconds');
  check.integer('minMessages', rules.minMessages);
  return rules;
}

/**
 * When a subscriber is disabled unless an attempt succeeds before, in milliseconds since the Unix epoch; in the past while
 * fewer than `minMessages` have failed; null until half of the way there, and with `disableAfter: Infinity`.
 */
export function disablesAt(
  { failingSince, announced }: HealthState,
  { disableAfter }: HealthRules,
): number | null {
  const isOnTheWay = failingSince !== null && announced > 0 && Number.isFinite(disableAfter);
  return isOnTheWay ? failingSince + disableAfter : null;
}

/** Computes the health after one attempt. Pure: pass the outcomes in the order in which they are written. */
export function healthAfter(
  health: HealthState,
  { kind, at, previousAttemptAt }: HealthOutcome,
  rules: HealthRules,
): HealthStep {
  if (kind === 'succeeded' || kind === 'over') {
    const isNews = kind === 'succeeded' && health.announced > 0;
    return isNews
      ? { health: WELL, news: 'recovered', share: health.announced }
      : { health: health.failingSince === null ? health : WELL, news: null, share: 0 };
  }
  const failingSince = Math.min(health.failingSince ?? at, at);
  const isCounted = previousAttemptAt !== null && previousAttemptAt >= failingSince;
  const failingMessages = health.failingMessages + (isCounted ? 0 : 1);
  const next = { failingSince, failingMessages, announced: health.announced };
  if (kind === 'gone') return { health: next, news: 'disabled-gone', share: 100 };
  const byTime = (at - failingSince) / rules.disableAfter;
  const byMessages = failingMessages / rules.minMessages;
  if (byTime >= 1 && byMessages >= 1) {
    return { health: next, news: 'disabled-failing', share: 100 };
  }
  // Both rules must hold, so the rule that is further away says how far disabling is.
  const share = Math.min(MOST_BEFORE, Math.floor(100 * Math.min(byTime, byMessages)));
  const announced = ANNOUNCED_AT.find((one) => share >= one) ?? 0;
  return announced > health.announced
    ? { health: { ...next, announced }, news: 'failing', share }
    : { health: next, news: null, share };
}
