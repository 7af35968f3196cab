import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  dispatchStrategyConformance,
  type DispatchStrategyBench,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import { backendOf, connectionTo, openQueueRig, type QueueRigOptions } from '../bullmq-rig.js';
import { placeOf } from '../outbox-place.js';
import { type Rig, subscriber } from '../outbox-rig.js';
import { type RedisServer, startRedis } from '../services/redis.js';

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
      makeBench: () => queueBench({ worker: false }, { producer: false }, true),
    },
    runner,
  );
}

async function queueBench(
  sender: QueueRigOptions,
  worker?: QueueRigOptions,
  isInPostgres = false,
): Promise<DispatchStrategyBench> {
  const receiver = await ScriptedReceiver.start();
  const place = await placeOf('postgres');
  const rigs: Rig[] = [];
  const queue = `conformance-${queues++}`;
  const open = async (options: QueueRigOptions) => {
    const rig = await openQueueRig(place, {
      ...(isInPostgres ? backendOf(place) : { connection: connectionTo(redis.port) }),
      queue,
      ...options,
    });
    await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_1' }));
    rigs.push(rig);
    return rig;
  };
  const rig = await open(sender);
  if (worker !== undefined) await open({ synchronize: false, ...worker });
  return {
    strategy: rig.strategy,
    arrived: () => receiver.received.map(({ id }) => id),
    makeMessage: () => rig.message(),
    transaction: (work) => rig.dataSource.transaction(work),
    close: async () => {
      for (const one of rigs) await one.close();
      await receiver.stop();
      await place.remove();
    },
  };
}
