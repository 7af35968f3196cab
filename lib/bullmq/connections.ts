import type { ConnectionOptions, QueueOptions, Telemetry } from 'bullmq';
import { ThornConfigurationError } from '../errors/index.js';
import { assertBackend, assertRedis } from './connection-checks.js';
import type { BullMqOptions, QueueBackendFactory } from './bullmq-options.js';

/** What BullMQ's classes are made with. */
export interface Connections {
  readonly producer: ConnectionOptions;
  readonly worker: ConnectionOptions;
  readonly prefix: string | undefined;
  readonly telemetry: Telemetry | undefined;
  /** Undefined for Redis. */
  readonly backend: QueueBackendFactory | undefined;
  /** Ends the clients that were made here: BullMQ leaves open what it is given. */
  close(): void;
}

/** An ioredis client, as far as it is needed here; a cluster has no options to repeat. */
interface Client {
  readonly isCluster?: boolean;
  duplicate(changes: object): Client & ConnectionOptions;
  disconnect(): void;
}

/** A connection that is lost is sought again soon: a fail-over takes a second or two. */
const retryStrategy = (times: number) => Math.min(1000, 50 * times);

/** Whoever puts something in does not wait for a server that is away: the database has it. */
const AT_ONCE = { maxRetriesPerRequest: 1, enableOfflineQueue: false };

/** What BullMQ asks of the connection of a worker. */
const PATIENT = { maxRetriesPerRequest: null };

/**
 * @param shared what `BullModule.forRoot()` was given
 * @throws {@link ThornConfigurationError} when there is no connection, or one that is for another kind of server
 */
export function connectionsOf(
  { connection: own, configKey, prefix, telemetry, backend }: BullMqOptions,
  shared: Partial<QueueOptions> | undefined,
): Connections {
  const connection = own ?? shared?.connection;
  if (connection === undefined) {
    const where =
      configKey === undefined ? 'BullModule.forRoot()' : `BullModule.forRoot('${configKey}', …)`;
    throw new ThornConfigurationError(
      `bullmq() has no connection: give it one, for example bullmq({ connection: { host: 'localhost', port: 6379 } }), or import ${where}`,
      { option: 'connection' },
    );
  }
  const rest = {
    prefix: prefix ?? shared?.prefix,
    telemetry: telemetry ?? shared?.telemetry,
    backend,
  };
  if (backend !== undefined) {
    assertBackend(backend);
    return {
      producer: connection as object,
      worker: connection as object,
      ...rest,
      close: () => undefined,
    };
  }
  assertRedis(connection);
  if (isClient(connection)) return { ...clientsLike(connection), ...rest };
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
