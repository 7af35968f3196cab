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
  readonly answer: KeptAnswer | null;
  readonly expiresAt: number;
}

/** Most keys that are remembered; the oldest is forgotten beyond that. */
const MOST = 10_000;

/** Keeps answers in this process alone: for applications without a database. */
export class InMemoryIdempotencyStore extends IdempotencyStore {
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly clock: Clock) {
    super();
  }

  override async begin(key: string, fingerprint: string): Promise<KeyState> {
    const now = this.clock.now();
    const known = this.#entries.get(key);
    if (known !== undefined && known.expiresAt > now) {
      if (known.fingerprint !== fingerprint) return { state: 'different' };
      const { answer } = known;
      return answer === null ? { state: 'under-way' } : { state: 'done', answer };
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
      answer: structuredClone(answer),
      expiresAt: this.clock.now() + KEPT_FOR,
    });
  }

  override async abandon(key: string): Promise<void> {
    this.#entries.delete(key);
  }

  #put(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST) this.#entries.delete(oldest!);
  }
}
