import { Queue } from 'bullmq';
import type { QueueSettings } from './bullmq-options.js';
import type { Connections } from './connections.js';

/** Creates the queue that this process adds jobs to. */
export function createQueue({ queue }: QueueSettings, connections: Connections): Queue {
  return new Queue(queue, { connection: connections.producer, ...sharedOptions(connections) });
}

/** The options that queues and workers have in common. */
export function sharedOptions({ prefix, telemetry }: Connections): {
  readonly prefix?: string;
  readonly telemetry?: NonNullable<Connections['telemetry']>;
} {
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(telemetry === undefined ? {} : { telemetry }),
  };
}
