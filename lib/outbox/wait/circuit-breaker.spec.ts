import { endpointRules, type EndpointRules } from '../outbox-options.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../../errors/index.js';
import {
  admissibleAt,
  admit,
  type BreakerSignal,
  type BreakerState,
  afterSignal,
  UNKNOWN_ENDPOINT,
} from './circuit-breaker.js';

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;
const rules = endpointRules();
const success = { kind: 'success' } as const;
const failure = { kind: 'failure' } as const;
const pause = (retryAfter: string | null = null) => ({ kind: 'pause', retryAfter }) as const;

describe('an endpoint that asks for a pause', () => {
  it('is left alone as a whole, then gets one probe, and flows again when that succeeds', () => {
    const paused = after(UNKNOWN_ENDPOINT, pause());
    expect(paused).toMatchObject({ mode: 'paused', until: NOW + 4000 });
    expect(admit(paused, rules, NOW + 3999).epoch).toBeNull();
    expect(admissibleAt(paused, NOW)).toBe(NOW + 4000);

    const probe = admit(paused, rules, NOW + 4000);
    expect(probe.epoch).not.toBeNull();
    expect(admit(probe.state, rules, NOW + 4001).epoch).toBeNull();

    const well = afterSignal(probe.state, probe.epoch!, success, rules, NOW + 4100, 0);
    expect(well).toMatchObject({ mode: 'flowing', until: null, failures: 0 });
    expect(admit(well, rules, NOW + 4100).epoch).not.toBeNull();
  });

  it('is left alone for as long as it says, up to the cap', () => {
    expect(after(UNKNOWN_ENDPOINT, pause('120')).until).toBe(NOW + 2 * MINUTE);
    expect(after(UNKNOWN_ENDPOINT, pause('86400')).until).toBe(NOW + 15 * MINUTE);
    expect(after(UNKNOWN_ENDPOINT, pause('1')).until).toBe(NOW + 4000);
    expect(after(UNKNOWN_ENDPOINT, pause('whenever')).until).toBe(NOW + 4000);
  });

  it('gets a probe every four seconds, unless it says for how long to wait', () => {
    const asked = [...Array<BreakerSignal>(40).fill(pause()), pause('60'), pause()];
    expect(closedFor(asked)).toEqual([...Array<number>(40).fill(4000), MINUTE, 4000]);
  });

  it('pauses once, however many requests were under way', () => {
    const { epoch } = admit(UNKNOWN_ENDPOINT, rules, NOW);
    let state = UNKNOWN_ENDPOINT;
    for (let i = 0; i < 64; i++) state = afterSignal(state, epoch!, pause(), rules, NOW + i, 0);

    expect(state).toMatchObject({ until: NOW + 4000 });
    expect(afterSignal(state, epoch!, success, rules, NOW + 70, 0)).toBe(state);
    expect(afterSignal(state, epoch!, failure, rules, NOW + 70, 0)).toBe(state);
    expect(afterSignal(state, epoch!, pause('60'), rules, NOW, 0).until).toBe(NOW + MINUTE);
  });
});

describe('the breaker of an endpoint', () => {
  it('opens after ten failures in a row and half-opens by itself', () => {
    let state = UNKNOWN_ENDPOINT;
    for (let i = 0; i < 9; i++) state = after(state, failure);
    expect(state).toMatchObject({ mode: 'flowing', failures: 9 });

    state = after(state, failure);
    expect(state).toMatchObject({ mode: 'broken', until: NOW + 4000 });
    expect(admit(state, rules, NOW + 3999).epoch).toBeNull();
    expect(admit(state, rules, NOW + 4000).epoch).not.toBeNull();
  });

  it('does not open when a success comes between', () => {
    let state = UNKNOWN_ENDPOINT;
    for (let i = 0; i < 50; i++) state = after(state, i % 10 === 9 ? success : failure);

    expect(state.mode).toBe('flowing');
  });

  it('lets a probe go every four seconds, however many fail', () => {
    expect(closedFor(Array<BreakerSignal>(40).fill(failure))).toEqual(Array(40).fill(4000));
  });

  it('closes on any success, even of a request from before it opened', () => {
    const { epoch } = admit(UNKNOWN_ENDPOINT, rules, NOW);
    let state = UNKNOWN_ENDPOINT;
    for (let i = 0; i < 10; i++) state = afterSignal(state, epoch!, failure, rules, NOW, 0);
    expect(state.mode).toBe('broken');

    expect(afterSignal(state, epoch!, success, rules, NOW + 1, 0).mode).toBe('flowing');
  });

  it('allows another probe when one finds nothing out, or takes longer than four seconds', () => {
    const broken = brokenEndpoint();
    const probe = admit(broken, rules, broken.until!);

    const asked = afterSignal(
      probe.state,
      probe.epoch!,
      { kind: 'neutral' },
      rules,
      broken.until!,
      0,
    );
    expect(admit(asked, rules, broken.until!).epoch).not.toBeNull();

    const later = broken.until! + rules.probeInterval;
    expect(admit(probe.state, rules, later - 1).epoch).toBeNull();
    const second = admit(probe.state, rules, later);
    expect(second.epoch).not.toBeNull();
    // Both are probes: whichever is answered first tells how the endpoint is.
    expect(afterSignal(second.state, probe.epoch!, success, rules, later, 0).mode).toBe('flowing');
    expect(afterSignal(second.state, second.epoch!, success, rules, later, 0).mode).toBe('flowing');
  });
});

describe('whatever happens to an endpoint', () => {
  const outcomes = fc.oneof(
    fc.constantFrom<BreakerSignal>(success, failure, failure, { kind: 'neutral' }),
    fc.option(fc.nat({ max: 100_000 }).map(String)).map(pause),
  );
  const moves = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), wait: fc.nat({ max: 40_000 }) }),
      fc.record({
        kind: fc.constant('settle' as const),
        which: fc.nat(),
        outcome: outcomes,
        random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      }),
    ),
    { maxLength: 200, size: 'max' },
  );

  it('nothing goes while it is closed, one probe after that, and it is never closed for good', () => {
    fc.assert(
      fc.property(moves, (moves) => {
        let state = UNKNOWN_ENDPOINT;
        let now = NOW;
        const underWay: number[] = [];
        for (const move of moves) {
          if (move.kind === 'settle') {
            if (underWay.length === 0) continue;
            const [epoch] = underWay.splice(move.which % underWay.length, 1);
            state = Object.freeze(
              afterSignal(state, epoch!, move.outcome, rules, now, move.random),
            );
            continue;
          }
          now += move.wait;
          const before = state;
          const { state: next, epoch } = admit(before, rules, now);
          state = Object.freeze(next);
          if (epoch !== null) {
            expect(now).toBeGreaterThanOrEqual(admissibleAt(before, now));
            if (before.mode !== 'flowing') {
              expect(now).toBeGreaterThanOrEqual(before.until!);
              // One probe in each interval.
              expect(admit(state, rules, now + rules.probeInterval - 1).epoch).toBeNull();
            }
            underWay.push(epoch);
          }
          expect(admit(state, rules, admissibleAt(state, now)).epoch).not.toBeNull();
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is closed no longer than the bounds, and jitter only adds', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.array(outcomes, { maxLength: 60 }), random, (outcomes, random) => {
        let state = UNKNOWN_ENDPOINT;
        for (const outcome of outcomes) {
          const now = admissibleAt(state, NOW);
          const { state: asked, epoch } = admit(state, rules, now);
          const exact = afterSignal(asked, epoch!, outcome, rules, now, 0);
          state = afterSignal(asked, epoch!, outcome, rules, now, random);
          if (exact.until === null || exact.until === asked.until) continue;
          expect(state.until! - now).toBeGreaterThanOrEqual(exact.until - now);
          expect(state.until! - now).toBeLessThanOrEqual(15 * MINUTE * 1.1);
        }
      }),
    );
  });
});

describe('endpointRules', () => {
  it.each([
    ['failures', 0],
    ['failures', 2.5],
    ['probeInterval', -1],
    ['maxPause', Infinity],
    ['jitter', 2],
    ['jitter', Number.NaN],
    ['probeInterval', '60' as unknown as number],
  ])('refuses %s of %s', (option, value) => {
    expect(() => endpointRules({ [option]: value })).toThrow(ThornConfigurationError);
  });
});

function after(
  state: BreakerState,
  outcome: BreakerSignal,
  now = NOW,
  by: EndpointRules = rules,
): BreakerState {
  const { state: asked, epoch } = admit(state, by, now);
  return afterSignal(asked, epoch!, outcome, by, now, 0);
}

function brokenEndpoint(): BreakerState {
  let state = UNKNOWN_ENDPOINT;
  for (let i = 0; i < rules.failures; i++) state = after(state, failure);
  return state;
}

/** For how long each outcome closes the endpoint, asked as soon as it may be. */
function closedFor(outcomes: readonly BreakerSignal[], by = rules): number[] {
  let state = outcomes[0]?.kind === 'failure' ? brokenEndpoint() : after(UNKNOWN_ENDPOINT, pause());
  const times = [state.until! - NOW];
  for (const outcome of outcomes.slice(1)) {
    const now = state.until!;
    state = after(state, outcome, now, by);
    times.push(state.until! - now);
  }
  return times;
}
