import type { InjectionToken } from '@nestjs/common';
import {
  type ClientOptions,
  type ClientProxy,
  type CustomClientOptions,
  Transport,
} from '@nestjs/microservices';
import { OptionChecks, TIMER } from '../common/option-checks.js';
import { ThornConfigurationError } from '../errors/index.js';
import type { OutboxOptions } from '../outbox/index.js';

/**
 * The client that gives messages to a broker: options of `ClientsModule.register()` without a name, or the injection token
 * of a `ClientProxy` from a global module or from one of the `imports` of `ThornModule`.
 */
export type MicroserviceClient =
  ClientOptions | CustomClientOptions | InjectionToken<ClientProxy<never>>;

/** Options for {@link microservices}: the options of `outbox()` and the settings of the broker. */
export interface MicroservicesOptions extends OutboxOptions {
  /** The client of the broker. Required unless `producer` is false. */
  readonly client?: MicroserviceClient;
  /** Name of the event. All processes of an application use the same. Default `thorn`. */
  readonly pattern?: string;
  /** Lets this process give the messages that it sends to the broker. If false, it delivers them itself. Default true. */
  readonly producer?: boolean;
  /**
   * Lets this process deliver messages that the broker brings to its microservices, and messages and retries that are
   * due in the database. Default true.
   */
  readonly worker?: boolean;
  /**
   * Timeout for giving messages to the broker, in milliseconds. After it, workers find them in the database. Default 2,000.
   */
  readonly emitTimeout?: number;
}

/** The options of the broker, checked and with their defaults. */
export interface BrokerSettings {
  readonly client: MicroserviceClient | undefined;
  readonly pattern: string;
  readonly producer: boolean;
  readonly worker: boolean;
  readonly emitTimeout: number;
}

const NAMES = new Set(['client', 'pattern', 'producer', 'emitTimeout']);

/** @throws {@link ThornConfigurationError} naming the wrong option */
export function brokerSettings(options: MicroservicesOptions): BrokerSettings {
  const check = new OptionChecks('microservices()');
  check.given(options);
  const { client, pattern = 'thorn', producer = true, worker = true, emitTimeout = 2000 } = options;
  check.boolean('producer', producer);
  check.boolean('worker', worker);
  check.assert('pattern', typeof pattern === 'string' && pattern !== '', 'must be a text');
  check.integer('emitTimeout', emitTimeout, TIMER);
  if (!producer && !worker) {
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      'microservices({ producer: false, worker: false }) has nothing to do with the broker: use outbox({ worker: false })',
    );
  }
  if (producer) checkClient(client, check);
  return { client, pattern, producer, worker, emitTimeout };
}

/** The options of `outbox()` among the given ones. */
export function databaseOptions(options: MicroservicesOptions): OutboxOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !NAMES.has(name)));
}

/** Tells whether `client` holds options; otherwise it is an injection token. */
export function isClientOptions(
  client: MicroserviceClient,
): client is ClientOptions | CustomClientOptions {
  return typeof client === 'object' && ('transport' in client || 'customClass' in client);
}

function checkClient(client: MicroserviceClient | undefined, check: OptionChecks): void {
  const isToken = ['string', 'symbol', 'function'].includes(typeof client);
  const isOptions = typeof client === 'object' && client !== null && isClientOptions(client);
  check.assert(
    'client',
    isToken || isOptions,
    "must be what ClientsModule.register() takes, for example { transport: Transport.RMQ, options: { urls: ['amqp://localhost'], queue: 'thorn' } }, or the injection token of a ClientProxy",
  );
  const { transport } = isOptions && 'transport' in client ? client : {};
  check.assert(
    'client',
    !isOptions || 'customClass' in client || Object.values(Transport).includes(transport!),
    'must name a transport of Nest, for example Transport.RMQ',
  );
  check.assert(
    'client',
    transport !== Transport.GRPC,
    'must not be a client of gRPC, which has no events. Use another transport',
  );
}
