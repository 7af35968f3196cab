import { ModulesContainer } from '@nestjs/core';
import type { ClientProxy } from '@nestjs/microservices';
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
import { receiptsOf } from './acknowledgements.js';
import { requireTransportPackages } from './transport-packages.js';
import { ticketsController } from './tickets.controller.js';

/**
 * Delivers durably, in as many processes as there are, by a broker of the application's choice: RabbitMQ, NATS, Kafka,
 * Redis or MQTT, as far as `@nestjs/microservices` knows it. Messages are stored like those of `outbox()`, in the
 * transaction that they belong to; after the commit an event says where they are, and whichever worker the broker gives it
 * to delivers them. The database stays the truth: a broker that is away, or loses what it has, loses no message, since
 * workers find in the database what it does not bring.
 *
 * A worker listens to the event on every microservice that the application connects.
 *
 * @throws `ThornConfigurationError` here, naming the option that makes no sense
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
  const token = tokenOf(settings);
  return {
    ...relayedOutbox(databaseOptions(options), {
      inject: [ModulesContainer, ...(token === null ? [] : [token])],
      useFactory: (modules, proxy) =>
        new MicroservicesRelay(settings, {
          client: clientFor(settings, proxy as ClientProxy | undefined),
          receipts: receiptsOf(modules as ModulesContainer),
        }),
    }),
    controllers: settings.worker ? [ticketsController(settings.pattern)] : [],
  };
}

function tokenOf({ client, producer }: BrokerSettings) {
  return !producer || client === undefined || isClientOptions(client) ? null : client;
}

function clientFor({ client, producer }: BrokerSettings, injected: ClientProxy | undefined) {
  if (injected !== undefined) return BrokerClient.over(injected);
  return producer && client !== undefined && isClientOptions(client)
    ? BrokerClient.made(client)
    : null;
}
