import { reportRatio } from '../harness.js';
import { forked } from '../contenders/forked.js';
import { ours } from './application.js';
import { e1 } from './emitter.js';
import type { Ground } from './ground.js';
import { medianAndPercentile, percentiles, ratioOf } from './latency.js';
import { SUBSCRIBERS } from './throughput.js';

const EVENTS_PER_SECOND = 60;
const QUIET_EVENTS_PER_SECOND = 20;

/** From send to answer at 600 deliveries a second. */
export async function pace({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const contenders = [
    await forked(ours, 'outbox', services.sqlite(), urls),
    await forked(e1, 'E1', urls),
    await forked(ours, 'outbox on PostgreSQL', await services.postgres(), urls),
  ];
  const found = await percentiles(contenders, {
    eventsPerSecond: EVENTS_PER_SECOND,
    warmUp: 3000,
    turn: 4000,
    rounds: 5,
  });
  for (const contender of contenders) await contender.stop();
  reportRatio('outbox.p99-vs-e1', 'E1', ratioOf(found, 'outbox', 'E1'), 1, 'at most');
}

/** From send to answer at 200 deliveries a second, when there is little to do. */
export async function quiet({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const contenders = [
    await forked(e1, 'E1', urls),
    await forked(ours, 'outbox on SQLite', services.sqlite(), urls),
    await forked(ours, 'outbox on PostgreSQL', await services.postgres(), urls),
  ];
  const { p50, p99 } = await medianAndPercentile(contenders, {
    eventsPerSecond: QUIET_EVENTS_PER_SECOND,
    warmUp: 3000,
    turn: 5000,
    rounds: 7,
  });
  for (const contender of contenders) await contender.stop();
  for (const [name, suffix] of [
    ['outbox on SQLite', 'sqlite'],
    ['outbox on PostgreSQL', 'postgres'],
  ] as const) {
    reportRatio(`outbox.quiet-p50-${suffix}`, 'E1', ratioOf(p50, name, 'E1'), 0.9, 'at most');
    reportRatio(`outbox.quiet-p99-${suffix}`, 'E1', ratioOf(p99, name, 'E1'), 0.9, 'at most');
  }
}

/** The healthy ones among ten subscribers, with and without one that takes 300 ms. */
export async function slowHealthy({ services, endpoints }: Ground): Promise<void> {
  const contenders = [
    await forked(ours, 'all well', services.sqlite(), endpoints.fast(SUBSCRIBERS)),
    await forked(ours, 'one slow', services.sqlite(), endpoints.withSlow(SUBSCRIBERS)),
  ];
  const found = await percentiles(contenders, {
    eventsPerSecond: EVENTS_PER_SECOND,
    warmUp: 3000,
    turn: 5000,
    rounds: 5,
    subscribers: SUBSCRIBERS - 1,
  });
  for (const contender of contenders) await contender.stop();
  const value = ratioOf(found, 'one slow', 'all well');
  reportRatio('outbox.slow-healthy-p99', 'all well', value, 1.5, 'at most');
}
