import type { ConnectionOptions, QueueOptions, Telemetry } from 'bullmq';
import { OptionChecks } from '../common/option-checks.js';
import { ThornConfigurationError } from '../errors/index.js';
import type { BullMqOptions } from './bullmq-options.js';

/** Connections and shared options of the queue and the worker. */
export interface Connections {
  readonly producer: ConnectionOptions;
  readonly worker: ConnectionOptions;
  readonly prefix: string | undefined;
  readonly telemetry: Telemetry | undefined;
  /** Disconnects the clients that were created here: BullMQ leaves open the clients that it is given. */
  close(): void;
}

/** An ioredis client, as far as Thorn uses it. A cluster cannot be duplicated with other options. */
interface Client {
  readonly isCluster?: boolean;
  duplicate(changes: object): Client & ConnectionOptions;
  disconnect(): void;
}

/** Reconnects soon: a fail-over takes a second or two. */
const retryStrategy = (times: number) => Math.min(1000, 50 * times);

/** Options of the producer, which does not wait for Redis while it is away: the messages are in the database. */
const AT_ONCE = { maxRetriesPerRequest: 1, enableOfflineQueue: false };

/** The option that BullMQ requires of the connection of a worker. */
const PATIENT = { maxRetriesPerRequest: null };

/**
 * Creates the connections of the queue and the worker.
 *
 * @param shared the options of `BullModule.forRoot()`
 * @throws {@link ThornConfigurationError} when there is no connection, or it is not a client of Redis or its options
 */
export function createConnections(
  { connection: own, configKey, prefix, telemetry }: BullMqOptions,
  shared: Partial<QueueOptions> | undefined,
): Connections {
  const connection = own ?? shared?.connection;
  if (connection === undefined) {
    const where =
      configKey === undefined ? 'BullModule.forRoot()' : `BullModule.forRoot('${configKey}', …)`;
    throw new ThornConfigurationError(
      'THORN_CONNECTION_MISSING',
      `bullmq() has no connection: give it one, for example bullmq({ connection: { host: 'localhost', port: 6379 } }), or import ${where}`,
      { option: 'connection' },
    );
  }
  const rest = {
    prefix: prefix ?? shared?.prefix,
    telemetry: telemetry ?? shared?.telemetry,
  };
  if (typeof connection !== 'object' || connection === null || Array.isArray(connection)) {
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      'bullmq({ connection }) must be a client of Redis or its options, for example { url: process.env.REDIS_URL }',
      { option: 'connection' },
    );
  }
  if (isClient(connection)) return { ...clientsLike(connection), ...rest };
  const { url, host, path } = connection as Readonly<Record<string, unknown>>;
  new OptionChecks('bullmq()').assert(
    'connection.url',
    typeof url === 'string' || !('url' in connection) || host !== undefined || path !== undefined,
    'must be a text, or BullMQ would connect to localhost. Set the variable that it is read from, or leave it out',
  );
  const options = { retryStrategy, ...connection };
  return {
    producer: { ...options, ...AT_ONCE },
    worker: { ...options, ...PATIENT },
    ...rest,
    close: () => undefined,
  };
}

function clientsLike(
  client: Client & ConnectionOptions,
): Pick<Connections, 'producer' | 'worker' | 'close'> {
  if (client.isCluster === true) {
    return { producer: client, worker: client, close: () => undefined };
  }
  const producer = client.duplicate({ ...AT_ONCE, lazyConnect: true });
  const worker = client.duplicate({ ...PATIENT, lazyConnect: true });
  return {
    producer,
    worker,
    close() {
      producer.disconnect();
      worker.disconnect();
    },
  };
}

function isClient(connection: object): connection is Client & ConnectionOptions {
  return typeof (connection as Partial<Client>).duplicate === 'function';
}
