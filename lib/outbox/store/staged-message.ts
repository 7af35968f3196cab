import type { Message } from '../../message/index.js';
import type { NewLease } from '../tables/leases.js';
import type { OutboxStore } from './outbox-store.js';

/** A released message, with the lease of its row. */
export interface StagedMessage extends Staged {
  readonly message: Message;
}

/** The lease of a message that is written and not released yet. */
export interface Staged extends NewLease {
  readonly store: OutboxStore;
  /** Pending while a transaction that the message had to join is open; null for none. */
  readonly joined: Promise<void> | null;
}
