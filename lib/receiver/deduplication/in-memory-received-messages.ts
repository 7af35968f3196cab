import { ExpiringEntries, type ExpiringEntry } from './expiring-entries.js';
import {
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './received-messages.js';

/**
 * Remembers messages in this process, for one process and as long as it lives. Holds the newest 100,000 by default,
 * about 200 bytes each.
 */
export class InMemoryReceivedMessages extends ReceivedMessages {
  readonly #entries: ExpiringEntries<ExpiringEntry>;

  /** @param capacity largest number of messages; one that is being processed is never dropped for it */
  constructor(capacity?: number) {
    super();
    this.#entries = new ExpiringEntries(capacity);
  }

  /** Number of messages that are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  override async claim(
    { receiver, id, token }: MessageClaim,
    { now, leasedUntil }: ClaimTimes,
  ): Promise<ClaimResult> {
    const key = keyOf(receiver, id);
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.keptUntil > now) {
      return entry.token === null ? 'processed' : 'in-progress';
    }
    // A message whose claim has expired counts as new, so its entry need not outlive the lease.
    this.#entries.set(key, { token, keptUntil: leasedUntil });
    this.#entries.makeRoom(now);
    return 'claimed';
  }

  override async complete(
    { receiver, id }: MessageClaim,
    { keptUntil }: ClaimTimes,
  ): Promise<void> {
    this.#entries.set(keyOf(receiver, id), { token: null, keptUntil });
  }

  override async release({ receiver, id, token }: MessageClaim): Promise<void> {
    const key = keyOf(receiver, id);
    if (this.#entries.get(key)?.token === token) this.#entries.delete(key);
  }
}

function keyOf(receiver: string, id: string): string {
  return JSON.stringify([receiver, id]);
}
