import { ExpiringEntries, type ExpiringEntry } from '../deduplication/expiring-entries.js';
import type { ClaimTimes } from '../deduplication/received-messages.js';
import {
  ProcessedSequences,
  type SequenceClaim,
  type SequenceClaimResult,
} from './processed-sequences.js';

interface Entry extends ExpiringEntry {
  readonly sequence: number;
  readonly leasedUntil: number;
}

/** Remembers numbers in this process, for one process and as long as it lives: of the 100,000 latest keys by default. */
export class InMemoryProcessedSequences extends ProcessedSequences {
  readonly #entries: ExpiringEntries<Entry>;

  /** @param capacity largest number of keys; one with a message that is being processed is never dropped for it */
  constructor(capacity?: number) {
    super();
    this.#entries = new ExpiringEntries(capacity);
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
    this.#entries.set(keyOf(claim), { sequence, token: claim.token, leasedUntil, keptUntil });
    this.#entries.makeRoom(now);
    return 'claimed';
  }

  override async complete(claim: SequenceClaim, { keptUntil }: ClaimTimes): Promise<void> {
    const entry = this.#entries.get(keyOf(claim));
    const isOwn = entry === undefined || entry.token === claim.token;
    this.#entries.set(keyOf(claim), {
      sequence: Math.max(entry?.sequence ?? 0, claim.sequence),
      token: isOwn ? null : entry.token,
      leasedUntil: isOwn ? 0 : entry.leasedUntil,
      keptUntil,
    });
  }

  override async release(claim: SequenceClaim): Promise<void> {
    const entry = this.#entries.get(keyOf(claim));
    if (entry?.token === claim.token) this.#entries.set(keyOf(claim), { ...entry, token: null });
  }
}

function keyOf({ receiver, key }: SequenceClaim): string {
  return JSON.stringify([receiver, key]);
}
