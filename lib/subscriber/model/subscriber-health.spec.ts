import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../../errors/index.js';
import {
  healthAfter,
  type HealthNews,
  type HealthOutcome,
  healthRules,
  type HealthState,
  WELL,
} from './subscriber-health.js';

const NOW = 1_700_000_000_000;
const DAY = 24 * 60 * 60_000;
const rules = healthRules();

describe('healthAfter', () => {
  it('a first failure starts the streak and is told', () => {
    expect(healthAfter(WELL, failed(NOW), rules)).toEqual({
      health: { failingSince: NOW, failingMessages: 1 },
      news: 'failing',
    });
  });

  it('further failures of other messages are counted and not told, those of the same are not counted', () => {
    const first = { failingSince: NOW, failingMessages: 1 };

    expect(healthAfter(first, failed(NOW + 5), rules)).toEqual({
      health: { failingSince: NOW, failingMessages: 2 },
      news: null,
    });
    expect(healthAfter(first, failed(NOW + 5, NOW), rules)).toEqual({ health: first, news: null });
    // It has failed before, but not since: this streak has affected it as well.
    expect(healthAfter(first, failed(NOW + 5, NOW - 1), rules).health.failingMessages).toBe(2);
  });

  it('a success resets, and tells who was told before', () => {
    expect(
      healthAfter({ failingSince: NOW, failingMessages: 99 }, succeeded(NOW + 1), rules),
    ).toEqual({ health: WELL, news: 'recovered' });
    expect(healthAfter(WELL, succeeded(NOW), rules)).toEqual({ health: WELL, news: null });
  });

  it('five days in which everything failed, and twenty messages: disabled', () => {
    const at = NOW + 5 * DAY;

    expect(healthAfter(streak(19), failed(at), rules).news).toBe('disabled-failing');
    expect(healthAfter(streak(20), failed(at, at - 1), rules).news).toBe('disabled-failing');
    expect(healthAfter(streak(18), failed(at), rules).news).toBeNull();
    expect(healthAfter(streak(5000), failed(at - 1), rules).news).toBeNull();
  });

  it('410 disables at once, whatever was before', () => {
    expect(healthAfter(WELL, { ...failed(NOW), kind: 'gone' }, rules)).toEqual({
      health: { failingSince: NOW, failingMessages: 1 },
      news: 'disabled-gone',
    });
  });

  it('both limits can be set, and disabling be switched off', () => {
    const strict = healthRules({ disableAfter: 1000, minMessages: 2 });
    expect(healthAfter(streak(1), failed(NOW + 999), strict).news).toBeNull();
    expect(healthAfter(streak(1), failed(NOW + 1000), strict).news).toBe('disabled-failing');
    const never = healthRules({ disableAfter: Infinity });
    expect(healthAfter(streak(9999), failed(NOW + 999 * DAY), never).news).toBeNull();
  });

  it('disables never before both limits, whatever the outcomes, and announces once a streak', () => {
    const outcome = fc.record({
      fails: fc.boolean(),
      wait: fc.nat({ max: DAY }),
      isRetry: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 200, size: 'max' }), (outcomes) => {
        let health: HealthState = WELL;
        let at = NOW;
        let streakStart: number | null = null;
        let messages = 0;
        let told = 0;
        for (const { fails, wait, isRetry } of outcomes) {
          const previous = isRetry && streakStart !== null ? at : null;
          at += wait;
          if (fails) {
            streakStart ??= at;
            messages += previous === null ? 1 : 0;
          } else {
            [streakStart, messages, told] = [null, 0, 0];
          }
          const outcome = fails ? failed(at, previous) : succeeded(at);
          const step: { health: HealthState; news: HealthNews | null } = healthAfter(
            health,
            outcome,
            rules,
          );
          health = step.health;
          expect(health).toEqual({ failingSince: streakStart, failingMessages: messages });
          if (step.news === 'failing') told++;
          expect(told).toBe(streakStart === null ? 0 : 1);
          const isOver = streakStart !== null && at - streakStart >= 5 * DAY && messages >= 20;
          expect(step.news === 'disabled-failing').toBe(isOver);
        }
      }),
    );
  });
});

describe('healthRules', () => {
  it.each([
    { disableAfter: 0 },
    { disableAfter: Number.NaN },
    { disableAfter: '5d' as unknown as number },
    { minMessages: 0 },
    { minMessages: 1.5 },
  ])('refuses %j', (given) => {
    expect(() => healthRules(given)).toThrow(ThornConfigurationError);
  });
});

function failed(at: number, previousAttemptAt: number | null = null): HealthOutcome {
  return { kind: 'failed', at, previousAttemptAt };
}

function succeeded(at: number): HealthOutcome {
  return { kind: 'succeeded', at, previousAttemptAt: null };
}

function streak(failingMessages: number): HealthState {
  return { failingSince: NOW, failingMessages };
}
