import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../../errors/index.js';
import {
  disablesAt,
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
  it('a first failure starts the streak, and is not told', () => {
    expect(healthAfter(WELL, failed(NOW), rules)).toEqual({
      health: { failingSince: NOW, failingMessages: 1, announced: 0 },
      news: null,
      share: 0,
    });
  });

  it('further failures of other messages are counted, those of the same are not', () => {
    const first = streak(1);

    expect(healthAfter(first, failed(NOW + 5), rules).health.failingMessages).toBe(2);
    expect(healthAfter(first, failed(NOW + 5, NOW), rules).health).toEqual(first);
    // It has failed before, but not since: this streak has affected it as well.
    expect(healthAfter(first, failed(NOW + 5, NOW - 1), rules).health.failingMessages).toBe(2);
  });

  it.each([
    [9, 0, 'failing', 50],
    [14, 50, 'failing', 75],
    [17, 75, 'failing', 90],
    [8, 0, null, 45],
    [10, 50, null, 55],
    [18, 90, null, 95],
    // At once: the greatest alone.
    [17, 0, 'failing', 90],
  ])(
    '%i messages failed before, told at %i %%: %s at %i %% by the count, once the time is over',
    (before, told, news, share) => {
      const step = healthAfter(streak(before, told), failed(NOW + 50 * DAY), rules);

      expect(step).toMatchObject({ news, share });
      expect(step.health.announced).toBe(news === null ? told : share);
    },
  );

  it.each([
    [2.5 * DAY, 0, 'failing', 50],
    [3.75 * DAY, 50, 'failing', 75],
    [4.5 * DAY, 75, 'failing', 90],
    [2.5 * DAY - 1, 0, null, 49],
    [4.6 * DAY, 90, null, 92],
    [5 * DAY - 1, 90, null, 99],
  ])(
    'failing for %i ms, told at %i %%: %s at %i %% by the time, of enough messages',
    (time, told, news, share) => {
      // The message of this attempt is counted already.
      const step = healthAfter(streak(9999, told), failed(NOW + time, NOW + 1), rules);

      expect(step).toMatchObject({ news, share });
    },
  );

  it('many failures within a minute, or few in many days, are not close to being disabled', () => {
    expect(healthAfter(streak(500), failed(NOW + 60_000), rules)).toMatchObject({
      news: null,
      share: 0,
    });
    expect(healthAfter(streak(2), failed(NOW + 50 * DAY), rules)).toMatchObject({
      news: null,
      share: 15,
    });
  });

  it('a success resets, and tells who was told before', () => {
    expect(healthAfter(streak(15, 75), succeeded(NOW + 1), rules)).toEqual({
      health: WELL,
      news: 'recovered',
      share: 75,
    });
    expect(healthAfter(streak(9), succeeded(NOW + 1), rules)).toMatchObject({
      health: WELL,
      news: null,
    });
    expect(healthAfter(WELL, succeeded(NOW), rules)).toMatchObject({ health: WELL, news: null });
  });

  it('the end of a subscriber resets, and is no recovery', () => {
    expect(
      healthAfter(streak(15, 75), { ...succeeded(NOW + 1), kind: 'over' }, rules),
    ).toMatchObject({ health: WELL, news: null });
  });

  it('five days in which everything failed, and twenty messages: disabled', () => {
    const at = NOW + 5 * DAY;

    expect(healthAfter(streak(19), failed(at), rules)).toMatchObject({
      news: 'disabled-failing',
      share: 100,
    });
    expect(healthAfter(streak(20), failed(at, at - 1), rules).news).toBe('disabled-failing');
    expect(healthAfter(streak(18, 90), failed(at), rules).news).toBeNull();
    expect(healthAfter(streak(5000, 90), failed(at - 1), rules).news).toBeNull();
  });

  it('410 disables at once, whatever was before', () => {
    expect(healthAfter(WELL, { ...failed(NOW), kind: 'gone' }, rules)).toEqual({
      health: streak(1),
      news: 'disabled-gone',
      share: 100,
    });
  });

  it('both limits can be set, and disabling be switched off', () => {
    const strict = healthRules({ disableAfter: 1000, minMessages: 2 });
    expect(healthAfter(streak(1, 90), failed(NOW + 999), strict).news).toBeNull();
    expect(healthAfter(streak(1, 90), failed(NOW + 1000), strict).news).toBe('disabled-failing');
    const never = healthRules({ disableAfter: Infinity });
    expect(healthAfter(streak(9999, 90), failed(NOW + 999 * DAY), never).news).toBeNull();
    // What is never disabled is not told to be on the way there.
    expect(healthAfter(streak(17), failed(NOW), never)).toMatchObject({ news: null, share: 0 });
  });

  it('disables never before both limits, whatever the outcomes, and announces each level once a streak', () => {
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
          const wasTold = told;
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
          expect(health).toMatchObject({ failingSince: streakStart, failingMessages: messages });
          const isOver = streakStart !== null && at - streakStart >= 5 * DAY && messages >= 20;
          expect(step.news === 'disabled-failing').toBe(isOver);
          expect(step.news === 'recovered').toBe(!fails && wasTold > 0);
          if (!fails || isOver) continue;
          const part = Math.min(messages / 20, (at - streakStart!) / (5 * DAY));
          const level = [0.9, 0.75, 0.5].find((one) => part >= one) ?? 0;
          expect(step.news === 'failing').toBe(level * 100 > told);
          told = Math.max(told, level * 100);
        }
      }),
    );
  });
});

describe('disablesAt', () => {
  const failing = { failingSince: NOW, failingMessages: 12, announced: 50 };

  it('is known from half of the way on, where subscribers are disabled', () => {
    expect(disablesAt(failing, rules)).toBe(NOW + 5 * DAY);
    expect(disablesAt({ ...failing, announced: 0 }, rules)).toBeNull();
    expect(disablesAt(WELL, rules)).toBeNull();
    expect(disablesAt(failing, { ...rules, disableAfter: Infinity })).toBeNull();
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

function streak(failingMessages: number, announced = 0): HealthState {
  return { failingSince: NOW, failingMessages, announced };
}
