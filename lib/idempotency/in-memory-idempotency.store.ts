import type { Clock } from '../common/index.js';
import {
  GIVEN_UP_AFTER,
  IdempotencyStore,
  KEPT_FOR,
  type KeptAnswer,
  type KeyState,
} from './idempotency-store.js';

interface Entry {
  readonly fingerprint: string;
  /** JSON; null while the request is under way. */
  readonly answer: string | null;
  readonly expiresAt: number;
}

/** Most keys that are remembered; the oldest is forgotten beyond that. */
const MOST = 10_000;
/** Most characters of all answers together: what they hold is the callers' to choose. */
const MOST_CHARACTERS = 16_000_000;

/** Keeps answers in this process alone: for applications without a database. */
export class InMemoryIdempotencyStore extends IdempotencyStore {
  readonly #entries = new Map<string, Entry>();
  #characters = 0;

  constructor(private readonly clock: Clock) {
    super();
  }

  override async begin(key: string, fingerprint: string): Promise<KeyState> {
    const now = this.clock.now();
    const known = this.#entries.get(key);
    if (known !== undefined && known.expiresAt > now) {
      if (known.fingerprint !== fingerprint) return { state: 'different' };
      const { answer } = known;
      return answer === null
        ? { state: 'under-way' }
        : { state: 'done', answer: JSON.parse(answer) as KeptAnswer };
    }
    this.#put(key, { fingerprint, answer: null, expiresAt: now + GIVEN_UP_AFTER });
    return { state: 'fresh' };
  }

  override async finish(key: string, answer: KeptAnswer): Promise<void> {
    const known = this.#entries.get(key);
    if (known === undefined) return;
    const { fingerprint } = known;
    this.#put(key, {
      fingerprint,
      answer: JSON.stringify(answer),
      expiresAt: this.clock.now() + KEPT_FOR,
    });
  }

  override async abandon(key: string): Promise<void> {
    this.#remove(key);
  }

  #put(key: string, entry: Entry): void {
    this.#remove(key);
    this.#entries.set(key, entry);
    this.#characters += entry.answer?.length ?? 0;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MOST && this.#characters <= MOST_CHARACTERS) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#characters -= this.#entries.get(key)?.answer?.length ?? 0;
    this.#entries.delete(key);
  }
}
