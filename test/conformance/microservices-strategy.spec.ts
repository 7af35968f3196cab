import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dispatchStrategyConformance,
  type DispatchStrategyFixture,
} from '../../lib/testing/index.js';
import {
  type MicroservicesAppOptions,
  openMicroservicesApp,
} from '../support/apps/microservices-app.js';
import {
  RABBITMQ_START_TIMEOUT,
  type RabbitMqServer,
  startRabbitMq,
} from '../services/rabbitmq.js';
import { strategyFixture } from './strategy-fixture.js';

let rabbit: RabbitMqServer;
let queues = 0;

beforeAll(async () => {
  rabbit = await startRabbitMq();
}, RABBITMQ_START_TIMEOUT);

afterAll(() => rabbit.stop());

const runner = { describe, it, expect };

dispatchStrategyConformance(
  { name: 'microservices, one process', makeFixture: () => brokerBench({}) },
  runner,
);
dispatchStrategyConformance(
  {
    name: 'microservices, a producer and a worker',
    makeFixture: () => brokerBench({ worker: false }, { producer: false }),
  },
  runner,
);

function brokerBench(
  ...processes: readonly Omit<MicroservicesAppOptions, 'rabbit'>[]
): Promise<DispatchStrategyFixture> {
  const queue = { url: rabbit.url, queue: `conformance-${queues++}` };
  return strategyFixture(
    processes.map(
      (options) => (place, isFirst) =>
        openMicroservicesApp(place, { rabbit: queue, synchronize: isFirst, ...options }),
    ),
  );
}
