import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BullMqRelay } from '../../lib/bullmq/bullmq-relay.js';
import { queueSettings } from '../../lib/bullmq/bullmq-options.js';
import { createConnections } from '../../lib/bullmq/connections.js';
import { SystemClock } from '../../lib/common/index.js';
import { Codecs, MessageFactory } from '../../lib/message/index.js';
import { messageRelayConformance } from './message-relay.js';
import { connectionTo } from '../support/apps/bullmq-app.js';
import { rabbitRelay } from '../support/apps/microservices-app.js';
import {
  RABBITMQ_START_TIMEOUT,
  type RabbitMqServer,
  startRabbitMq,
} from '../services/rabbitmq.js';
import { type RedisServer, startRedis } from '../services/redis.js';

let redis: RedisServer;
let rabbit: RabbitMqServer;
let queues = 0;

beforeAll(async () => {
  Logger.overrideLogger(false);
  [redis, rabbit] = await Promise.all([startRedis(), startRabbitMq()]);
}, RABBITMQ_START_TIMEOUT);

afterAll(async () => {
  await Promise.all([redis.stop(), rabbit.stop()]);
});

/** Until a connection is open; the suite asks for refusals within twice as long. */
const PATIENCE = 5000;
const runner = { describe, it, expect };
const messages = new MessageFactory(new SystemClock(), new Codecs());
const makeMessage = () => messages.create({ event: 'order.paid', data: { id: 7 } });

/** Until the test ends. */
function cutOff(server: RedisServer | RabbitMqServer) {
  let isOff = false;
  return {
    cutOff: async () => {
      isOff = true;
      await server.kill('SIGKILL');
    },
    close: async () => {
      if (isOff) await server.restart();
    },
  };
}

messageRelayConformance(
  {
    name: 'BullMQ',
    makeFixture: async () => {
      const connection = connectionTo(redis.port);
      const options = { connection, queue: `relay-${queues++}`, enqueueTimeout: PATIENCE };
      const relay = () =>
        new BullMqRelay(queueSettings(options), createConnections(options, undefined));
      return { producer: relay(), consumer: relay(), makeMessage, ...cutOff(redis) };
    },
  },
  runner,
);

messageRelayConformance(
  {
    name: 'microservices over RabbitMQ',
    makeFixture: async () => {
      const queue = { url: rabbit.url, queue: `relay-${queues++}` };
      const options = { emitTimeout: PATIENCE };
      const [producer, consumer] = [rabbitRelay(queue, options), rabbitRelay(queue, options)];
      const { close, ...rest } = cutOff(rabbit);
      let stop: () => Promise<void> = async () => undefined;
      return {
        producer: producer.relay,
        consumer: consumer.relay,
        makeMessage,
        listen: async () => {
          stop = await consumer.listen();
        },
        ...rest,
        close: async () => {
          await stop();
          await close();
        },
      };
    },
  },
  runner,
);
