import type { InjectionToken } from '@nestjs/common';
import {
  type ClientOptions,
  type ClientProxy,
  type CustomClientOptions,
  Transport,
} from '@nestjs/microservices';
import { ThornConfigurationError } from '../errors/index.js';
import type { OutboxOptions } from '../outbox/index.js';

/**
 * Where messages are given to a broker: what `ClientsModule.register()` takes, without a name, or the injection token of a
 * `ClientProxy` that the application has, from a module that is global or among the `imports` of `ThornModule`.
 */
export type MicroserviceClient =
  ClientOptions | CustomClientOptions | InjectionToken<ClientProxy<never>>;

/** Settings of {@link microservices}: those of `outbox()` for what the database does, and where the broker is. */
export interface MicroservicesOptions extends OutboxOptions {
  /** Needed where there is a producer. Default: none. */
  readonly client?: MicroserviceClient;
  /** The event that is emitted and listened to. All processes of an application use the same. Default `thorn`. */
  readonly pattern?: string;
  /** Whether what this process sends is given to the broker. False: it delivers what it sends itself. Default true. */
  readonly producer?: boolean;
  /**
   * Whether this process delivers: what the broker brings to the microservices that it has connected, and what is due in
   * the database. Default true.
   */
  readonly worker?: boolean;
  /** How long giving messages to the broker may take, in milliseconds; the database has them. Default 2,000. */
  readonly emitTimeout?: number;
}

/** {@link MicroservicesOptions} on the broker, checked and complete. */
export interface BrokerSettings {
  readonly client: MicroserviceClient | undefined;
  readonly pattern: string;
  readonly producer: boolean;
  readonly worker: boolean;
  readonly emitTimeout: number;
}

const NAMES = new Set(['client', 'pattern', 'producer', 'emitTimeout']);

/** @throws {@link ThornConfigurationError} naming the option that makes no sense */
export function brokerSettings(options: MicroservicesOptions): BrokerSettings {
  const { client, pattern = 'thorn', producer = true, worker = true, emitTimeout = 2000 } = options;
  for (const [name, value] of Object.entries({ producer, worker })) {
    if (typeof value !== 'boolean') throw refused(name, 'true or false', value);
  }
  if (typeof pattern !== 'string' || pattern === '') throw refused('pattern', 'a text', pattern);
  if (!Number.isSafeInteger(emitTimeout) || emitTimeout <= 0) {
    throw refused('emitTimeout', 'a whole number above 0', emitTimeout);
  }
  if (!producer && !worker) {
    throw new ThornConfigurationError(
      'microservices({ producer: false, worker: false }) has nothing to do with the broker: use outbox({ worker: false })',
    );
  }
  if (producer) checkClient(client);
  return { client, pattern, producer, worker, emitTimeout };
}

/** What the database's part takes of the options. */
export function databaseOptions(options: MicroservicesOptions): OutboxOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !NAMES.has(name)));
}

/** Whether it says how to make a client; otherwise it is the token of one. */
export function isClientOptions(
  client: MicroserviceClient,
): client is ClientOptions | CustomClientOptions {
  return typeof client === 'object' && ('transport' in client || 'customClass' in client);
}

function checkClient(client: MicroserviceClient | undefined): void {
  const isToken = ['string', 'symbol', 'function'].includes(typeof client);
  const isOptions = typeof client === 'object' && client !== null && isClientOptions(client);
  if (!isToken && !isOptions) {
    throw new ThornConfigurationError(
      "microservices() needs a client: give it what ClientsModule.register() takes, for example microservices({ client: { transport: Transport.RMQ, options: { urls: ['amqp://localhost'], queue: 'thorn' } } }), or the injection token of a ClientProxy",
      { option: 'client' },
    );
  }
  if (isOptions && 'transport' in client && client.transport === Transport.GRPC) {
    throw new ThornConfigurationError(
      'microservices({ client }) cannot be one of gRPC, which has no events: take another transport',
      { option: 'client' },
    );
  }
}

function refused(name: string, rule: string, value: unknown): ThornConfigurationError {
  return new ThornConfigurationError(
    `microservices({ ${name} }) must be ${rule}, not ${String(value)}`,
    { option: name, value },
  );
}
