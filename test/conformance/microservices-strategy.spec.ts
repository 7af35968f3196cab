import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dispatchStrategyConformance,
  type DispatchStrategyBench,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import { type BrokerRigOptions, openBrokerRig } from '../microservices-rig.js';
import { placeOf } from '../outbox-place.js';
import { type Rig, subscriber } from '../outbox-rig.js';
import {
  RABBITMQ_STARTS_WITHIN,
  type RabbitMqServer,
  startRabbitMq,
} from '../services/rabbitmq.js';

let rabbit: RabbitMqServer;
let queues = 0;

beforeAll(async () => {
  rabbit = await startRabbitMq();
}, RABBITMQ_STARTS_WITHIN);

afterAll(() => rabbit.stop());

const runner = { describe, it, expect };

dispatchStrategyConformance(
  { name: 'microservices, one process', makeBench: () => brokerBench({}) },
  runner,
);
dispatchStrategyConformance(
  {
    name: 'microservices, a producer and a worker',
    makeBench: () => brokerBench({ worker: false }, { producer: false }),
  },
  runner,
);

async function brokerBench(
  sender: Omit<BrokerRigOptions, 'rabbit'>,
  worker?: Omit<BrokerRigOptions, 'rabbit'>,
): Promise<DispatchStrategyBench> {
  const receiver = await ScriptedReceiver.start();
  const place = await placeOf('postgres');
  const rigs: Rig[] = [];
  const queue = { url: rabbit.url, queue: `conformance-${queues++}` };
  const open = async (options: Omit<BrokerRigOptions, 'rabbit'>) => {
    const rig = await openBrokerRig(place, { rabbit: queue, ...options });
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
