import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dispatchStrategyConformance,
  type DispatchStrategyFixture,
} from '../../lib/testing/index.js';
import { connectionTo, openBullMqApp, type BullMqAppOptions } from '../support/apps/bullmq-app.js';
import { type RedisServer, startRedis } from '../services/redis.js';
import { strategyFixture } from './strategy-fixture.js';

let redis: RedisServer;
let queues = 0;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

const runner = { describe, it, expect };

dispatchStrategyConformance(
  { name: 'bullmq, one process', makeFixture: () => queueBench({}) },
  runner,
);
dispatchStrategyConformance(
  {
    name: 'bullmq, a producer and a worker',
    makeFixture: () => queueBench({ worker: false }, { producer: false }),
  },
  runner,
);
function queueBench(...processes: readonly BullMqAppOptions[]): Promise<DispatchStrategyFixture> {
  const shared = { queue: `conformance-${queues++}`, connection: connectionTo(redis.port) };
  return strategyFixture(
    processes.map(
      (options) => (place, isFirst) =>
        openBullMqApp(place, { ...shared, synchronize: isFirst, ...options }),
    ),
  );
}
