import type { ConnectionOptions, QueueOptions, Telemetry } from 'bullmq';
import { ThornConfigurationError } from '../errors/index.js';
import type { BullMqOptions } from './bullmq-options.js';

/** What BullMQ's classes are made with. */
export interface Connections {
  readonly producer: ConnectionOptions;
  readonly worker: ConnectionOptions;
  readonly prefix: string | undefined;
  readonly telemetry: Telemetry | undefined;
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
 * @throws {@link ThornConfigurationError} when there is no connection
 */
export function connectionsOf(
  { connection: own, configKey, prefix, telemetry }: BullMqOptions,
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
  const rest = { prefix: prefix ?? shared?.prefix, telemetry: telemetry ?? shared?.telemetry };
  if (isClient(connection)) {
    const producer = connection.isCluster === true ? connection : connection.duplicate(AT_ONCE);
    return { producer, worker: connection, ...rest };
  }
  const options = { retryStrategy, ...(connection as object) };
  return {
    producer: { ...options, ...AT_ONCE },
    worker: { ...options, maxRetriesPerRequest: null },
    ...rest,
  };
}

function isClient(connection: ConnectionOptions): connection is ConnectionOptions & Client {
  return typeof (connection as Partial<Client>).duplicate === 'function';
}
