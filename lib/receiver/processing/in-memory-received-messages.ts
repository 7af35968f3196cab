import { InvalidInputError } from '../../errors/index.js';
import {
  type ClaimKind,
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './received-messages.js';

const DEFAULT_CAPACITY = 100_000;

interface Entry {
  readonly sequence: number;
  /** Token of the attempt that processes a message; null when none does. */
  readonly token: string | null;
  readonly leasedUntil: number;
  readonly keptUntil: number;
}

/**
 * Remembers messages and keys in this process, for one process and as long as it lives. Holds the newest 100,000 of each by
 * default, about 250 bytes each.
 */
export class InMemoryReceivedMessages extends ReceivedMessages {
  // Entries in the order of their last change, the oldest first.
  readonly #entries: Readonly<Record<ClaimKind, Map<string, Entry>>> = {
    message: new Map(),
    key: new Map(),
  };

  /** @param capacity the largest number of messages, and of keys. A message that is being processed is never dropped */
  constructor(private readonly capacity: number = DEFAULT_CAPACITY) {
    super();
    if (!(Number.isInteger(capacity) && capacity > 0)) {
      throw new InvalidInputError('capacity', 'must be a whole number above 0');
    }
  }

  /** Number of messages and keys that are remembered. */
  get size(): number {
    return this.#entries.message.size + this.#entries.key.size;
  }

  override async claim(claim: MessageClaim, times: ClaimTimes): Promise<ClaimResult> {
    const { now, leasedUntil, keptUntil } = times;
    const found = this.#read(claim);
    const entry = found !== undefined && found.keptUntil > now ? found : undefined;
    const sequence = entry?.sequence ?? 0;
    if (sequence >= claim.sequence) return 'processed';
    if (entry !== undefined && entry.token !== null && entry.leasedUntil > now) {
      return 'in-progress';
    }
    this.#write(claim, { sequence, token: claim.token, leasedUntil, keptUntil });
    this.#makeRoom(claim.kind, now);
    return 'claimed';
  }

  override async complete(claim: MessageClaim, { keptUntil }: ClaimTimes): Promise<void> {
    const { sequence = 0, token = null, leasedUntil = 0 } = this.#read(claim) ?? {};
    this.#write(claim, {
      sequence: Math.max(sequence, claim.sequence),
      token: token === claim.token ? null : token,
      leasedUntil,
      keptUntil,
    });
  }

  override async release(claim: MessageClaim): Promise<void> {
    const entry = this.#read(claim);
    if (entry?.token === claim.token) this.#write(claim, { ...entry, token: null });
  }

  #read(claim: MessageClaim): Entry | undefined {
    return this.#entries[claim.kind].get(nameOf(claim));
  }

  #write(claim: MessageClaim, entry: Entry): void {
    const entries = this.#entries[claim.kind];
    entries.delete(nameOf(claim));
    entries.set(nameOf(claim), entry);
  }

  /** Drops expired entries, and the oldest ones beyond the capacity unless an attempt has them. */
  #makeRoom(kind: ClaimKind, now: number): void {
    const entries = this.#entries[kind];
    for (const [name, { token, keptUntil }] of entries) {
      const isOver = keptUntil <= now;
      if (!isOver && entries.size <= this.capacity) return;
      if (isOver || token === null) entries.delete(name);
    }
  }
}

function nameOf({ receiver, key }: MessageClaim): string {
  return JSON.stringify([receiver, key]);
}
