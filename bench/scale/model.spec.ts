import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figuresOf } from './figures.js';
import {
  bottleneckOf,
  type Figures,
  type Installation,
  installationFor,
  resourcesFor,
  stepsOf,
} from './model.js';

const FIGURES: Figures = {
  'sender-cpu': 200,
  'worker-cpu': 100,
  'redis-cpu': 5,
  'database-cpu': 50,
  'database-wal': 400,
  ...figuresOf([]).assumed,
};

const some = fc.integer({ min: 1, max: 1000 });
const figures: fc.Arbitrary<Figures> = fc.record(
  Object.fromEntries(Object.keys(FIGURES).map((name) => [name, some])),
) as unknown as fc.Arbitrary<Figures>;
const load = fc.integer({ min: 1, max: 1_000_000 });

describe('the model of scale', () => {
  it('never needs fewer of anything for more load', () => {
    fc.assert(
      fc.property(figures, load, load, (of, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)].map((deliveries) =>
          installationFor(resourcesFor(deliveries, of)),
        ) as [Installation, Installation];
        for (const kind of Object.keys(less) as (keyof Installation)[]) {
          expect(more[kind]).toBeGreaterThanOrEqual(less[kind]);
        }
      }),
    );
  });

  it('names what is fullest, and needs so much that nothing is too full', () => {
    fc.assert(
      fc.property(figures, load, (of, deliveries) => {
        const resources = resourcesFor(deliveries, of);
        const needs = installationFor(resources);
        const found = bottleneckOf(resources, needs);
        for (const { kind, busy } of resources) {
          expect(busy / needs[kind]).toBeLessThanOrEqual(found.utilisation);
        }
        expect(found.utilisation).toBeLessThanOrEqual(0.7 + 1e-9);
      }),
    );
  });

  it('meets each load with what was enough for the one before', () => {
    const [first, second] = stepsOf([1000, 100_000], FIGURES);
    // 1,000 deliveries of 100 µs are a tenth of a core, and 100 ms of each a tenth of a window.
    expect(first).toMatchObject({
      bottleneck: { name: 'CPU of workers', utilisation: 0.1 },
      needs: { workers: 1, senders: 1, redisShards: 1, databases: 1, links: 1 },
      inFlight: 100,
    });
    expect(second).toMatchObject({
      bottleneck: { name: 'CPU of workers', utilisation: 10 },
      needs: { workers: 15, senders: 3, redisShards: 1, databases: 1 },
    });
  });

  it('takes given figures, and refuses what it does not know', () => {
    expect(figuresOf(['latency=50', 'worker-cpu=70'])).toMatchObject({
      assumed: { latency: 50 },
      measured: { 'worker-cpu': 70 },
    });
    expect(() => figuresOf(['speed=1'])).toThrow(/no figure speed, only/);
    expect(() => figuresOf(['latency=0'])).toThrow(/latency=0 is no number above 0/);
  });
});
