import { BullMqRelay } from '../../../lib/bullmq/bullmq-relay.js';
import {
  type BullMqOptions,
  databaseOptions,
  queueSettings,
} from '../../../lib/bullmq/bullmq-options.js';
import { createConnections } from '../../../lib/bullmq/connections.js';
import { openRig, type Place, type Rig, type RigOptions } from './outbox-app.js';

/** What {@link openQueueRig} takes: what `bullmq()` does, and what the rig itself is told. */
export type QueueRigOptions = RigOptions & BullMqOptions;

/** An application with `bullmq()`, as far as the strategy is concerned. */
export function openQueueRig(
  place: Pick<Place, 'options'>,
  options: QueueRigOptions,
): Promise<Rig> {
  const relay = new BullMqRelay(queueSettings(options), createConnections(options, undefined));
  return openRig(place, { ...databaseOptions(options), relay });
}

/** The connection to a server of {@link startRedis}. */
export function connectionTo(port: number): { readonly host: string; readonly port: number } {
  return { host: '127.0.0.1', port };
}
