import type { ConnectionOptions, QueueOptions, Telemetry } from 'bullmq';
import { ThornConfigurationError } from '../errors/index.js';
import { assertBackend, assertRedis } from './backend-check.js';
import type { BullMqOptions, QueueBackendFactory } from './bullmq-options.js';

/** What BullMQ's classes are made with. */
export interface Connections {
  readonly producer: ConnectionOptions;
  readonly worker: ConnectionOptions;
  readonly prefix: string | undefined;
  readonly telemetry: Telemetry | undefined;
  /** Undefined for Redis. */
  readonly backend: QueueBackendFactory | undefined;
}

/** An ioredis client, as far as it is needed here; a cluster has no options to repeat. */
interface Client {
  readonly isCluster?: boolean;
  duplicate(changes: object): ConnectionOptions;
}

/** A connection that is lost is sought again soon: a fail-over takes a second or two. */
const retryStrategy = (times: number) => Math.min(1000, 50 * times);

/** Whoever puts something in does not wait for a server that is away: the database has it. */
const AT_ONCE = { maxRetriesPerRequest: 1, enableOfflineQueue: false };

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
    return { producer: connection as object, worker: connection as object, ...rest };
  }
  assertRedis(connection);
  if (isClient(connection)) {
    const producer = connection.isCluster === true ? connection : connection.duplicate(AT_ONCE);
    return { producer, worker: connection, ...rest };
  }
  const options = { retryStrategy, ...connection };
  return {
    producer: { ...options, ...AT_ONCE },
    worker: { ...options, maxRetriesPerRequest: null },
    ...rest,
  };
}

function isClient(connection: object): connection is Client & ConnectionOptions {
  return typeof (connection as Partial<Client>).duplicate === 'function';
}
