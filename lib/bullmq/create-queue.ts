import { Queue } from 'bullmq';
import type { QueueSettings } from './bullmq-options.js';
import type { Connections } from './connections.js';

/** The queue as this process puts jobs in. */
export function newQueue({ queue }: QueueSettings, connections: Connections): Queue {
  return new Queue(
    queue,
    { connection: connections.producer, ...sharedOptions(connections) },
    ...backendOf(connections),
  );
}

/** What all of BullMQ's classes are given alike. */
export function sharedOptions({ prefix, telemetry }: Connections): {
  readonly prefix?: string;
  readonly telemetry?: NonNullable<Connections['telemetry']>;
} {
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(telemetry === undefined ? {} : { telemetry }),
  };
}

/** The last argument of what BullMQ 6 makes; 5 knows Redis alone. */
export function backendOf({ backend }: Connections): [] | [never] {
  return backend === undefined ? [] : [backend as never];
}
