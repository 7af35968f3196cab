import { InvalidInputError } from '../../errors/index.js';
import {
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './received-messages.js';

const DEFAULT_CAPACITY = 100_000;

interface Entry {
  /** Null when processed. */
  readonly token: string | null;
  readonly keptUntil: number;
}

/**
 * Remembers messages in this process, for one process and as long as it lives. Holds the newest 100,000 by default,
 * about 200 bytes each.
 */
export class InMemoryReceivedMessages extends ReceivedMessages {
  // In the order of their last change: the oldest come first.
  readonly #entries = new Map<string, Entry>();

  /** @param capacity largest number of messages; one that is being processed is never dropped for it */
  constructor(private readonly capacity: number = DEFAULT_CAPACITY) {
    super();
    if (!(Number.isInteger(capacity) && capacity > 0)) {
      throw new InvalidInputError('capacity', 'must be a whole number above 0');
    }
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
    this.#put(key, { token, keptUntil: leasedUntil });
    this.#makeRoom(now);
    return 'claimed';
  }

  override async complete(
    { receiver, id }: MessageClaim,
    { keptUntil }: ClaimTimes,
  ): Promise<void> {
    this.#put(keyOf(receiver, id), { token: null, keptUntil });
  }

  override async release({ receiver, id, token }: MessageClaim): Promise<void> {
    const key = keyOf(receiver, id);
    if (this.#entries.get(key)?.token === token) this.#entries.delete(key);
  }

  #put(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }

  #makeRoom(now: number): void {
    for (const [key, { token, keptUntil }] of this.#entries) {
      const isOver = keptUntil <= now;
      if (!isOver && this.#entries.size <= this.capacity) return;
      if (isOver || token === null) this.#entries.delete(key);
    }
  }
}

function keyOf(receiver: string, id: string): string {
  return JSON.stringify([receiver, id]);
}
