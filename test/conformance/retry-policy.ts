import type { AttemptErrorCode, RetryPolicy, RetryQuestion } from '../../lib/delivery/index.js';
import type { RetrySettings } from '../../lib/message/index.js';
import { seededRandom } from '../support/seeded-random.js';
import type { TestRunner } from '../../lib/testing/index.js';

/** The implementation under test. */
export interface RetryPolicyUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** Creates an instance, as another process would. */
  makePolicy(): RetryPolicy;
}

const NOW = 1_700_000_000_000;
// No delivery may need more than this to come to its end.
const MANY = 1000;

const RETRY_AFTERS = [
  null,
  '0',
  '90',
  '99999999999999999999',
  'soon',
  '-5',
  'Wed, 15 Nov 2023 22:13:20 GMT',
  'Thu, 01 Jan 1970 00:00:00 GMT',
];
const ANSWERS = [100, 301, 404, 408, 429, 500, 502, 503, 504].flatMap((status) =>
  RETRY_AFTERS.map((retryAfter) => outcome(status, null, retryAfter)),
);
const ERRORS: readonly AttemptErrorCode[] = [
  'timeout',
  'connection-refused',
  'connection-reset',
  'name-not-resolved',
  'tls',
  'internal',
];
const OUTCOMES = [...ANSWERS, ...ERRORS.map((code) => outcome(null, code, null))];

/** Defines the tests that every {@link RetryPolicy} must pass. */
export function retryPolicyConformance(
  { name, makePolicy }: RetryPolicyUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const settings: readonly (RetrySettings | undefined)[] = [undefined, false, {}, { max: 3 }];

  describe(`${name}: every retry policy`, () => {
    it('returns a finite time that is not before now, or null', async () => {
      const policy = makePolicy();
      const wrong = questions(settings).filter((question) => {
        const next = policy.nextAttempt(question);
        return next !== null && !(Number.isFinite(next) && next >= question.now);
      });
      expect(wrong).toEqual([]);
    });

    it('answers a question alike in every process and in any order', async () => {
      const asked = questions(settings);
      const inOrder = answers(makePolicy(), asked);
      const backwards = answers(makePolicy(), asked.toReversed()).toReversed();
      expect(backwards).toEqual(inOrder);
    });

    it('ends, and never retries after the number at which it ended', async () => {
      const policy = makePolicy();
      for (const each of OUTCOMES) {
        const allowed = Array.from(
          { length: MANY },
          (_, index) => policy.nextAttempt(question(index + 1, each, 0)) !== null,
        );
        const end = allowed.indexOf(false);
        expect(end).not.toBe(-1);
        expect(allowed.slice(end)).not.toContain(true);
      }
    });

    it('adds jitter, and never subtracts it', async () => {
      const policy = makePolicy();
      const random = seededRandom(1);
      const early = OUTCOMES.filter((each, index) => {
        const attempt = 1 + (index % 5);
        const exact = policy.nextAttempt(question(attempt, each, 0));
        const jittered = policy.nextAttempt(question(attempt, each, random()));
        return exact === null ? jittered !== null : jittered === null || jittered < exact;
      });
      expect(early).toEqual([]);
    });

    it('never retries an event with retry: false', async () => {
      const policy = makePolicy();
      for (const each of OUTCOMES) {
        expect(policy.nextAttempt(question(1, each, 0, false))).toBeNull();
        expect(policy.nextAttempt(question(1, each, 0, { max: 0 }))).toBeNull();
      }
    });

    it('retries at most as often as the event allows', async () => {
      const policy = makePolicy();
      for (const each of OUTCOMES) {
        expect(policy.nextAttempt(question(4, each, 0, { max: 3 }))).toBeNull();
      }
    });

    it('depends on the time that has passed, not on the date', async () => {
      const policy = makePolicy();
      const later = 400 * 24 * 3_600_000;
      for (const each of OUTCOMES.filter(({ retryAfter }) => retryAfter === null)) {
        const [now, then] = [NOW, NOW + later].map((time) =>
          policy.nextAttempt({ ...question(1, each, 0), now: time }),
        );
        expect(then).toBe(now === null || now === undefined ? null : now + later);
      }
    });
  });
}

function questions(settings: readonly (RetrySettings | undefined)[]): RetryQuestion[] {
  const random = seededRandom(2);
  return settings.flatMap((each) =>
    OUTCOMES.flatMap((outcome) =>
      [1, 2, 3, 10, 50].map((attempt) => question(attempt, outcome, random(), each)),
    ),
  );
}

function answers(policy: RetryPolicy, asked: readonly RetryQuestion[]): (number | null)[] {
  return asked.map((each) => policy.nextAttempt(each));
}

function question(
  attempt: number,
  outcome: RetryQuestion['outcome'],
  random: number,
  settings?: RetrySettings,
): RetryQuestion {
  return { attempt, outcome, now: NOW, random, settings };
}

function outcome(
  status: number | null,
  code: AttemptErrorCode | null,
  retryAfter: string | null,
): RetryQuestion['outcome'] {
  const error = code === null ? null : { code, message: 'It failed.' };
  return { outcome: 'failed', status, error, retryAfter };
}
