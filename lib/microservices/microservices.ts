import { ModulesContainer } from '@nestjs/core';
import type { ClientProxy } from '@nestjs/microservices';
import { OptionChecks } from '../common/option-checks.js';
import type { StrategyDefinition } from '../dispatch/index.js';
import { relayedOutbox } from '../outbox/index.js';
import { BrokerClient } from './broker-client.js';
import {
  type BrokerSettings,
  brokerSettings,
  databaseOptions,
  isClientOptions,
  type MicroservicesOptions,
} from './microservices-options.js';
import { MicroservicesRelay } from './microservices-relay.js';
import { createAcknowledgements } from './acknowledgements.js';
import { requireTransportPackages } from './transport-packages.js';
import { listeningTo } from './tickets.controller.js';

/**
 * Delivers durably, in as many processes as there are, by a broker of the application's choice: RabbitMQ, NATS, Kafka,
 * Redis or MQTT, as far as `@nestjs/microservices` knows it. Messages are stored like those of `outbox()`, in the
 * transaction that they belong to. After the commit an event says where they are, and the worker that the broker gives it to
 * delivers them. A broker that is away, or loses events, loses no message, since workers find in the database what the
 * broker did not bring.
 *
 * A worker listens to the event on every microservice that the application connects.
 *
 * @throws `ThornConfigurationError` here, naming the wrong option
 *
 * @example
 * ```ts
 * const rabbit = { urls: ['amqp://localhost'], queue: 'thorn', queueOptions: { durable: true }, persistent: true };
 *
 * ThornModule.forRoot({
 *   dispatch: microservices({ client: { transport: Transport.RMQ, options: rabbit } }),
 * });
 *
 * // a worker, in its main.ts
 * app.connectMicroservice({
 *   transport: Transport.RMQ,
 *   options: { ...rabbit, noAck: false, prefetchCount: 200 },
 * });
 * ```
 */
export function microservices(options: MicroservicesOptions): StrategyDefinition {
  const settings = brokerSettings(options);
  const { client, producer } = settings;
  if (producer && client !== undefined && isClientOptions(client) && 'transport' in client) {
    requireTransportPackages(client.transport);
  }
  const token = clientToken(settings);
  return {
    ...relayedOutbox(databaseOptions(options), {
      inject: [ModulesContainer, ...(token === null ? [] : [token])],
      useFactory: (modules, proxy) =>
        new MicroservicesRelay(settings, {
          client: createClient(settings, proxy as ClientProxy | undefined),
          acknowledgements: createAcknowledgements(modules as ModulesContainer),
        }),
    }),
    controllers: settings.worker ? [listeningTo(settings.pattern)] : [],
  };
}

function clientToken({ client, producer }: BrokerSettings) {
  return !producer || client === undefined || isClientOptions(client) ? null : client;
}

function createClient({ client, producer }: BrokerSettings, injected: ClientProxy | undefined) {
  if (injected !== undefined) {
    new OptionChecks('microservices()').assert(
      'client',
      typeof (injected as Partial<ClientProxy> | null)?.emit === 'function',
      'is the token of a provider that is not a ClientProxy. Register the client by ClientsModule.register()',
    );
    return BrokerClient.wrap(injected);
  }
  return producer && client !== undefined && isClientOptions(client)
    ? BrokerClient.create(client)
    : null;
}
