import type { Message, Recipient } from '../../message/index.js';
import type { DeliveryState } from '../delivery-states.js';
import type { HeldLease, HeldMessage } from './held-leases.js';
import type { OutboxStore } from './outbox-store.js';

/** One delivery that waits in this process for its next attempt. */
export interface DeliveryJob {
  readonly id: string;
  readonly host: string;
  /** First attempts never wait behind retries. */
  readonly isRetry: boolean;
  readonly store: OutboxStore;
  readonly message: Message;
  readonly recipient: Recipient;
  readonly state: DeliveryState;
  readonly requests: number;
  readonly attemptedAt: number | null;
  /** The lease of the message while the delivery has no row, else the lease of the delivery. */
  readonly heldLease: HeldLease;
  /** The message, while the delivery has no row; else null. */
  readonly heldMessage: HeldMessage | null;
  /** A hash of the message's key when the delivery is ordered, else null. */
  readonly keyHash: string | null;
  /** The time before which the attempt has to begin, by the rate limit; null without one, or while it has no time. */
  startsBefore: number | null;
}
