import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AttemptErrorCode,
  type AttemptOutcome,
  RetryPolicy,
  StandardRetryPolicy,
} from '../../delivery/index.js';
import type { RetrySettings } from '../../message/index.js';
import { type DeliveryState, MAX_THROTTLED, newDelivery } from '../delivery-states.js';
import { nextState, type Advance } from './next-state.js';

const NOW = 1_700_000_000_000;
const standard = { policy: new StandardRetryPolicy(), settings: undefined };

describe('advance: the rules', () => {
  it.each([200, 201, 204, 299])('%i succeeds', (status) => {
    expect(step(answered(status)).state).toEqual({
      status: 'succeeded',
      attempts: 1,
      throttled: 0,
      nextAt: null,
      reason: null,
    });
  });

  it.each([100, 199, 300, 301, 307, 400, 401, 404, 500, 599, null])(
    '%s is tried again',
    (status) => {
      expect(step(answered(status))).toEqual({
        state: { status: 'pending', attempts: 1, throttled: 0, nextAt: NOW + 5000, reason: null },
        disablesSubscriber: false,
      });
    },
  );

  it('410 ends the delivery and disables the subscriber', () => {
    expect(step(answered(410))).toMatchObject({
      state: { status: 'failed', reason: 'gone', attempts: 1, nextAt: null },
      disablesSubscriber: true,
    });
  });

  it('a refused recipient fails at once', () => {
    expect(step(withoutAnswer('recipient-refused'))).toMatchObject({
      state: { status: 'failed', reason: 'refused', attempts: 1, nextAt: null },
      disablesSubscriber: false,
    });
  });

  it.each([429, 502, 503, 504, null])(
    '%s uses up no attempt while the host is down, and the delivery may be a probe again',
    (status) => {
      const down = { ...standard, isHostDown: true };
      const states = run(Array<AttemptOutcome>(100).fill(answered(status)), down);

      expect(states.slice(0, MAX_THROTTLED).map(({ attempts }) => attempts)).not.toContain(1);
      expect(states[MAX_THROTTLED - 1]).toMatchObject({ nextAt: NOW + 1000, throttled: 20 });
      expect(states[MAX_THROTTLED]).toMatchObject({ nextAt: NOW + 5000, attempts: 1 });
      expect(states.at(-1)).toMatchObject({ reason: 'exhausted', attempts: 10, throttled: 20 });
    },
  );

  it('waits for as long as a host that is down says', () => {
    const outcome = { ...answered(503), retryAfter: '600' };
    const { state } = nextState(
      newDelivery(NOW),
      outcome,
      { ...standard, isHostDown: true },
      NOW,
      0,
    );
    expect(state).toMatchObject({ attempts: 0, throttled: 1, nextAt: NOW + 600_000 });
  });

  it('429 uses up no attempt, and waits longer each time', () => {
    const states = run(Array<AttemptOutcome>(4).fill(answered(429)));

    expect(states.map(({ attempts, throttled }) => [attempts, throttled])).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [0, 4],
    ]);
    expect(states.map(({ nextAt }) => nextAt! - NOW)).toEqual([
      5000, 300_000, 1_800_000, 7_200_000,
    ]);
  });

  it('the last attempt that is answered 429 is made again', () => {
    const settings = { max: 1, delay: 1000 };
    const [, throttled, again] = run([answered(500), answered(429), answered(500)], {
      ...standard,
      settings,
    });

    expect(throttled).toMatchObject({ status: 'pending', attempts: 1, nextAt: NOW + 1000 });
    expect(again).toMatchObject({ status: 'failed', reason: 'exhausted', attempts: 2 });
  });

  it('an endpoint that answers 429 for ever exhausts the delivery in the end', () => {
    const states = run(Array<AttemptOutcome>(100).fill(answered(429)));
    const end = states.findIndex(({ status }) => status === 'failed');

    expect(end + 1).toBe(MAX_THROTTLED + 10);
    expect(states[end]).toMatchObject({ reason: 'exhausted', attempts: 10, throttled: 20 });
  });

  it('an event without retries has one attempt', () => {
    const rules = { ...standard, settings: false as const, isHostDown: true };

    expect(run([answered(500)], rules)[0]).toMatchObject({ status: 'failed', reason: 'exhausted' });
    expect(run([answered(429)], rules)[0]).toMatchObject({ status: 'failed', reason: 'exhausted' });
  });

  it('a policy that answers nonsense ends the delivery, and one that answers the past makes it due now', () => {
    const of = (time: number) => ({ policy: new Always(time), settings: undefined });

    for (const nonsense of [Number.NaN, Infinity, -Infinity, Number.MAX_VALUE]) {
      expect(run([answered(500)], of(nonsense))[0]).toMatchObject({ reason: 'exhausted' });
    }
    expect(run([answered(500)], of(5))[0]).toMatchObject({ status: 'pending', nextAt: NOW });
    expect(run([answered(500)], of(NOW + 0.4))[0]).toMatchObject({ nextAt: NOW + 1 });
  });

  it('begins due at once, with all attempts before it', () => {
    expect(newDelivery(NOW)).toEqual({
      status: 'pending',
      attempts: 0,
      throttled: 0,
      nextAt: NOW,
      reason: null,
    });
  });
});

describe('advance: for any life of a delivery', () => {
  it('attempts never exceed the policy, and every delivery ends', () => {
    fc.assert(
      fc.property(failures(80), settings(), fc.nat({ max: 12 }), (outcomes, settings, retries) => {
        const policy = new StandardRetryPolicy({ schedule: Array<number>(retries).fill(1000) });
        const allowed = settings === false ? 0 : (settings?.max ?? retries);
        const states = run(outcomes, { policy, settings });
        for (const { attempts, throttled } of states) {
          expect(attempts).toBeLessThanOrEqual(allowed + 1);
          expect(throttled).toBeLessThanOrEqual(MAX_THROTTLED);
        }
        const requests = allowed + 1 + MAX_THROTTLED;
        if (outcomes.length >= requests) expect(states.at(-1)!.status).toBe('failed');
      }),
    );
  });

  it('a finished delivery never moves', () => {
    fc.assert(
      fc.property(fc.array(attempt(), { maxLength: 60 }), attempt(), (outcomes, late) => {
        let state = newDelivery(NOW);
        for (const each of outcomes) {
          const next = nextState(state, each, standard, NOW, 0).state;
          if (state.status !== 'pending') expect(next).toBe(state);
          state = next;
        }
        if (state.status !== 'pending') {
          expect(nextState(state, late, standard, NOW, 0.5).state).toBe(state);
        }
      }),
    );
  });

  it('a 429 uses up no attempt until the bound, everything else exactly one', () => {
    fc.assert(
      fc.property(failures(60), (outcomes) => {
        let before = newDelivery(NOW);
        for (const outcome of outcomes) {
          const { state } = nextState(before, outcome, standard, NOW, 0);
          if (before.status !== 'pending') break;
          const isFree = outcome.status === 429 && before.throttled < MAX_THROTTLED;
          expect(state.attempts - before.attempts).toBe(isFree ? 0 : 1);
          expect(state.throttled - before.throttled).toBe(isFree ? 1 : 0);
          before = state;
        }
      }),
    );
  });

  it('jitter only adds, and a delivery is never due before its attempt ended', () => {
    fc.assert(
      fc.property(failures(40), random(), fc.integer(), (outcomes, random, now) => {
        let state = newDelivery(now);
        for (const outcome of outcomes) {
          const exact = nextState(state, outcome, standard, now, 0).state;
          state = nextState(state, outcome, standard, now, random).state;
          expect(state.status).toBe(exact.status);
          if (exact.nextAt === null) break;
          expect(state.nextAt).toBeGreaterThanOrEqual(exact.nextAt);
          expect(exact.nextAt).toBeGreaterThan(now);
        }
      }),
    );
  });

  it('is pending with a time, or finished without one; failed with a reason, or not failed', () => {
    fc.assert(
      fc.property(fc.array(attempt(), { maxLength: 40 }), random(), (outcomes, random) => {
        let state = newDelivery(NOW);
        for (const each of outcomes) {
          state = Object.freeze(nextState(state, each, standard, NOW, random).state);
          expect(state.nextAt !== null).toBe(state.status === 'pending');
          expect(state.reason !== null).toBe(state.status === 'failed');
        }
      }),
    );
  });

  it('only a 2xx succeeds, only a 410 disables', () => {
    fc.assert(
      fc.property(attempt(), (outcome) => {
        const { status } = outcome;
        const result = step(outcome);
        const isSuccess = status !== null && status >= 200 && status < 300;
        expect(result.state.status === 'succeeded').toBe(isSuccess);
        expect(result.disablesSubscriber).toBe(status === 410);
      }),
    );
  });
});

class Always extends RetryPolicy {
  constructor(private readonly time: number) {
    super();
  }

  override nextAttempt(): number {
    return this.time;
  }
}

function step(outcome: AttemptOutcome): Advance {
  return nextState(newDelivery(NOW), outcome, standard, NOW, 0);
}

/** The states after each outcome, all at the same time and without jitter. */
function run(
  outcomes: readonly AttemptOutcome[],
  rules: Parameters<typeof nextState>[2] = standard,
): DeliveryState[] {
  let state = newDelivery(NOW);
  return outcomes.map((outcome) => (state = nextState(state, outcome, rules, NOW, 0).state));
}

function answered(status: number | null, retryAfter: string | null = null): AttemptOutcome {
  if (status === null) return withoutAnswer('timeout');
  const isSuccess = status >= 200 && status < 300;
  return { outcome: isSuccess ? 'succeeded' : 'failed', status, error: null, retryAfter };
}

function withoutAnswer(code: AttemptErrorCode): AttemptOutcome {
  return { outcome: 'failed', status: null, error: { code, message: '…' }, retryAfter: null };
}

function random() {
  return fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
}

function retryAfter() {
  return fc.option(
    fc.oneof(
      fc.nat().map(String),
      fc.constantFrom('soon', '', new Date(NOW + 90_000).toUTCString()),
    ),
  );
}

function status() {
  return fc.oneof(
    fc.constantFrom(429, 429, 410, 502, 503, 504, 200, 204),
    fc.integer({ min: 100, max: 599 }),
  );
}

function error() {
  return fc
    .constantFrom<AttemptErrorCode>('timeout', 'tls', 'connection-reset', 'internal')
    .map(withoutAnswer);
}

function attempt() {
  return fc.oneof(
    fc.tuple(status(), retryAfter()).map(([s, r]) => answered(s, r)),
    error(),
  );
}

/** Outcomes that end nothing by themselves. */
function failures(maxLength: number) {
  const tryAgain = fc
    .tuple(fc.constantFrom(429, 429, 500, 503, 404, 301), retryAfter())
    .map(([status, after]) => answered(status, after));
  return fc.array(fc.oneof(tryAgain, error()), { maxLength, size: 'max' });
}

function settings(): fc.Arbitrary<RetrySettings | undefined> {
  return fc.oneof(
    fc.constantFrom(undefined, false as const),
    fc.record({ max: fc.nat({ max: 15 }), delay: fc.nat({ max: 60_000 }) }),
  );
}
