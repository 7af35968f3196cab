import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  dispatchStrategyConformance,
  type DispatchStrategyBench,
} from '../../lib/testing/index.js';
import {
  backendOf,
  connectionTo,
  openQueueRig,
  type QueueRigOptions,
} from '../support/apps/bullmq-app.js';
import type { Place } from '../support/apps/outbox-app.js';
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
dispatchStrategyConformance(
  {
    name: 'bullmq with bodies in jobs, a producer and a worker',
    makeBench: () => queueBench({ worker: false, carryBody: true }, { producer: false }),
  },
  runner,
);
dispatchStrategyConformance(
  {
    name: 'bullmq without staging, one process',
    makeBench: () => queueBench({ staging: false }),
  },
  runner,
);
dispatchStrategyConformance(
  {
    name: 'bullmq without staging, a producer and a worker',
    makeBench: () => queueBench({ worker: false, staging: false }, { producer: false }),
  },
  runner,
);

// BullMQ 5 keeps queues in Redis alone.
if (inject('nestMajor') === 12) {
  dispatchStrategyConformance(
    {
      name: 'bullmq in PostgreSQL, a producer and a worker',
      makeBench: () => benchOver(backendOf, [{ worker: false }, { producer: false }]),
    },
    runner,
  );
}

function queueBench(...processes: readonly QueueRigOptions[]): Promise<DispatchStrategyBench> {
  return benchOver(() => ({ connection: connectionTo(redis.port) }), processes);
}

function benchOver(
  backend: (place: Place) => QueueRigOptions,
  processes: readonly QueueRigOptions[],
): Promise<DispatchStrategyBench> {
  const queue = `conformance-${queues++}`;
  return strategyBench(
    processes.map(
      (options) => (place, isFirst) =>
        openQueueRig(place, { ...backend(place), queue, synchronize: isFirst, ...options }),
    ),
  );
}
