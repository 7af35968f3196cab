import { ServerRMQ, Transport } from '@nestjs/microservices';
import type { ChannelWrapper } from 'amqp-connection-manager';
import { BrokerClient } from '../../../lib/microservices/broker-client.js';
import {
  brokerSettings,
  databaseOptions,
  type MicroservicesOptions,
} from '../../../lib/microservices/microservices-options.js';
import { MicroservicesRelay } from '../../../lib/microservices/microservices-relay.js';
import { createAcknowledgements } from '../../../lib/microservices/acknowledgements.js';
import { openOutboxApp, type OutboxApp, type OutboxAppOptions } from './outbox-app.js';
import type { TestDatabase } from '../databases.js';

/** Where a queue of RabbitMQ is. */
export interface RabbitQueue {
  readonly url: string;
  readonly queue: string;
}

/** Options for {@link openMicroservicesApp}: those of `microservices()`, with a queue in place of a client, and of the application. */
export type MicroservicesAppOptions = OutboxAppOptions &
  Omit<MicroservicesOptions, 'client'> & { readonly rabbit: RabbitQueue };

const PREFETCH = 200;

/** Opens an outbox whose messages travel by RabbitMQ, as with `microservices()`. */
export async function openMicroservicesApp(
  place: Pick<TestDatabase, 'options'>,
  { rabbit, ...options }: MicroservicesAppOptions,
): Promise<OutboxApp> {
  const { relay, listen } = rabbitRelay(rabbit, options);
  const rig = await openOutboxApp(place, { ...databaseOptions(options), relay });
  if (options.worker === false) return rig;
  const stop = await listen();
  return {
    ...rig,
    // As an application does that is a microservice.
    close: () => stop().then(() => rig.close()),
  };
}

/** A relay over a queue of RabbitMQ, and a microservice that brings what is in it. */
export function rabbitRelay(rabbit: RabbitQueue, options: Omit<MicroservicesOptions, 'client'>) {
  const client = { transport: Transport.RMQ, options: queueOptions(rabbit) } as const;
  const settings = brokerSettings({ ...options, client });
  const server = new ServerRMQ({
    ...queueOptions(rabbit),
    noAck: false,
    prefetchCount: PREFETCH,
  });
  const relay = new MicroservicesRelay(settings, {
    client: settings.producer ? BrokerClient.create(client) : null,
    acknowledgements: createAcknowledgements(),
  });
  server.addHandler(
    settings.pattern,
    (parcel: unknown, context: unknown) => relay.receive(parcel, context) as Promise<never>,
    true,
  );
  return {
    relay,
    /** @returns what ends it */
    listen: async (): Promise<() => Promise<void>> => {
      await new Promise<void>((resolve, reject) => {
        void server.listen((error?: unknown) => (error ? reject(error) : resolve()));
      });
      // Closed before it is a consumer, or cut off while it becomes one again, it rejects with nobody to hear.
      const { channel } = server as unknown as { channel: ChannelWrapper };
      channel.on('error', () => undefined);
      await channel.checkQueue(rabbit.queue);
      return () => server.close();
    },
  };
}

function queueOptions({ url, queue }: RabbitQueue) {
  return {
    urls: [url],
    queue,
    queueOptions: { durable: true },
    persistent: true,
    socketOptions: { reconnectTimeInSeconds: 1 },
  };
}
