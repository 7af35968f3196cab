import { InvalidInputError } from '../../errors/index.js';
import type { ClaimTimes } from '../deduplication/received-messages.js';
import {
  ProcessedSequences,
  type SequenceClaim,
  type SequenceClaimResult,
} from './processed-sequences.js';

const DEFAULT_CAPACITY = 100_000;

interface Entry {
  readonly sequence: number;
  /** Null when no message is being processed. */
  readonly token: string | null;
  readonly leasedUntil: number;
  readonly keptUntil: number;
}

/** Remembers numbers in this process, for one process and as long as it lives: of the 100,000 latest keys by default. */
export class InMemoryProcessedSequences extends ProcessedSequences {
  // In the order of their last change: the oldest come first.
  readonly #entries = new Map<string, Entry>();

  /** @param capacity largest number of keys; one with a message that is being processed is never dropped for it */
  constructor(private readonly capacity: number = DEFAULT_CAPACITY) {
    super();
    if (!(Number.isInteger(capacity) && capacity > 0)) {
      throw new InvalidInputError('capacity', 'must be a whole number above 0');
    }
  }

  /** Number of keys that are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  override async claim(claim: SequenceClaim, times: ClaimTimes): Promise<SequenceClaimResult> {
    const { now, leasedUntil, keptUntil } = times;
    const found = this.#entries.get(keyOf(claim));
    const entry = found !== undefined && found.keptUntil > now ? found : undefined;
    const sequence = entry?.sequence ?? 0;
    if (sequence >= claim.sequence) return 'older';
    if (entry !== undefined && entry.token !== null && entry.leasedUntil > now) {
      return 'in-progress';
    }
    this.#put(keyOf(claim), { sequence, token: claim.token, leasedUntil, keptUntil });
    this.#makeRoom(now);
    return 'claimed';
  }

  override async complete(claim: SequenceClaim, { keptUntil }: ClaimTimes): Promise<void> {
    const entry = this.#entries.get(keyOf(claim));
    const isOwn = entry === undefined || entry.token === claim.token;
    this.#put(keyOf(claim), {
      sequence: Math.max(entry?.sequence ?? 0, claim.sequence),
      token: isOwn ? null : entry.token,
      leasedUntil: isOwn ? 0 : entry.leasedUntil,
      keptUntil,
    });
  }

  override async release(claim: SequenceClaim): Promise<void> {
    const entry = this.#entries.get(keyOf(claim));
    if (entry?.token === claim.token) this.#put(keyOf(claim), { ...entry, token: null });
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

function keyOf({ receiver, key }: SequenceClaim): string {
  return JSON.stringify([receiver, key]);
}
