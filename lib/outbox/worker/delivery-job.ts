import type { Message, Recipient } from '../../message/index.js';
import type { DeliveryState } from '../model/delivery-state.js';
import type { Holding, MessageHolding } from '../store/held-leases.js';
import type { LaneJob } from '../concurrency/host-scheduler.js';
import type { Shard } from '../store/outbox-store.js';

/** One delivery on its way to its next attempt. */
export interface OutboxJob extends LaneJob {
  readonly id: string;
  readonly shard: Shard;
  readonly message: Message;
  readonly recipient: Recipient;
  readonly state: DeliveryState;
  readonly requests: number;
  readonly attemptedAt: number | null;
  /** What it is held by: its message while it has no row, else itself. */
  readonly holding: Holding;
  /** The message, while the delivery has no row. */
  readonly first: MessageHolding | null;
  /** Whether it has waited for the limit of its subscriber. */
  hasWaited: boolean;
  /** By when it has to begin to keep to its turn; null without a limit. */
  startBy: number | null;
}

/** Where jobs are put in line. */
export interface Line {
  add(job: OutboxJob): void;
}
