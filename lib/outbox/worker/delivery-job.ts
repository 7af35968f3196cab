import type { Message, Recipient } from '../../message/index.js';
import type { DeliveryState } from '../model/delivery-state.js';
import type { HeldLease, HeldMessage } from '../store/held-leases.js';
import type { HostJob } from '../concurrency/host-scheduler.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** One delivery on its way to its next attempt. */
export interface DeliveryJob extends HostJob {
  readonly id: string;
  readonly store: OutboxStore;
  readonly message: Message;
  readonly recipient: Recipient;
  readonly state: DeliveryState;
  readonly requests: number;
  readonly attemptedAt: number | null;
  /** What it is held by: its message while it has no row, else itself. */
  readonly holding: HeldLease;
  /** The message, while the delivery has no row. */
  readonly first: HeldMessage | null;
  /** Whether it has waited for the limit of its subscriber. */
  hasWaited: boolean;
  /** By when it has to begin to keep to its turn; null without a limit. */
  permitExpiresAt: number | null;
}

/** Where jobs are put in line. */
export interface JobSink {
  add(job: DeliveryJob): void;
}
