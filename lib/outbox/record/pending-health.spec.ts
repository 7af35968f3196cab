import { expect, it } from 'vitest';
import { healthRules } from '../../subscriber/index.js';
import { healthStep } from './pending-health.js';

const DAY = 24 * 60 * 60_000;
const rules = healthRules();
const before = { failingSince: 0, failingMessages: 9, announced: 0 };
const failures = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    ...{ kind: 'failed' as const, at: 5 * DAY + at, previousAttemptAt: null },
    ...{ status: 500, error: null },
  }));

it('tells that a subscriber fails while that leads to its end, and nothing of it once it is disabled', () => {
  const further = healthStep(before, failures(5), rules);
  expect(further.disable).toBeNull();
  expect(further.reports).toMatchObject([{ kind: 'failing', figures: { share: 50 } }]);

  const last = healthStep(before, failures(11), rules);
  expect(last.disable).toMatchObject({ reason: 'failing', share: 100 });
  expect(last.reports).toEqual([]);
});
