import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dispatchStrategyConformance,
  type DispatchStrategyBench,
} from '../../lib/testing/index.js';
import { connectionTo, openBullMqApp, type BullMqAppOptions } from '../support/apps/bullmq-app.js';
import { type RedisServer, startRedis } from '../services/redis.js';
import { strategyBench } from './strategy-bench.js';

let redis: RedisServer;
let queues = 0;

beforeAll(async () => {
  redis = await startRedis();
}, 60_000);

afterAll(() => redis.stop());

const runner = { describe, it, expect };

dispatchStrategyConformance(
  { name: 'bullmq, one process', makeBench: () => queueBench({}) },
  runner,
);
dispatchStrategyConformance(
  {
    name: 'bullmq, a producer and a worker',
    makeBench: () => queueBench({ worker: false }, { producer: false }),
  },
  runner,
);
function queueBench(...processes: readonly BullMqAppOptions[]): Promise<DispatchStrategyBench> {
  const shared = { queue: `conformance-${queues++}`, connection: connectionTo(redis.port) };
  return strategyBench(
    processes.map(
      (options) => (place, isFirst) =>
        openBullMqApp(place, { ...shared, synchronize: isFirst, ...options }),
    ),
  );
}
