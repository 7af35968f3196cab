import type { Message } from '../../message/index.js';
import type { OutboxStore } from './outbox-store.js';

/** A message that is stored and released, with what its holder needs. */
export interface StagedMessage extends Staged {
  readonly message: Message;
}

/** What a staged message needs to be handed over. */
export interface Staged {
  readonly store: OutboxStore;
  readonly lease: string;
  readonly leasedUntil: number;
  /** Pending while a transaction that the message had to join is open; null for none. */
  readonly joined: Promise<void> | null;
}
