import type { DataSource, Repository } from 'typeorm';
import { IsNull, LessThan } from 'typeorm';
import type { Clock } from '../common/index.js';
import type { SecretSealer } from '../signing/index.js';
import { ThornIdempotencyKey } from './idempotency-key.entity.js';
import {
  GIVEN_UP_AFTER,
  IdempotencyStore,
  KEPT_FOR,
  type KeptAnswer,
  type KeyState,
} from './idempotency-store.js';

/** So many keys are taken between two times that the old ones are removed. */
const KEYS_BETWEEN_PRUNING = 100;

/** Keeps answers in the table `thorn_idempotency_keys`, for all processes. */
export class TypeOrmIdempotencyStore extends IdempotencyStore {
  #taken = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly sealer: SecretSealer,
  ) {
    super();
  }

  override async begin(key: string, fingerprint: string): Promise<KeyState> {
    // Ends: where neither is possible, another process has just removed the row.
    for (;;) {
      const now = this.clock.now();
      const known = await this.#rows.findOneBy({ id: key });
      const expiresAt = now + GIVEN_UP_AFTER;
      if (known === null) {
        if (!(await this.#insert({ id: key, fingerprint, answer: null, expiresAt }))) continue;
        await this.#pruneNowAndThen(now);
        return { state: 'fresh' };
      }
      if (Number(known.expiresAt) > now) return this.#stateOf(known, fingerprint);
      const { affected } = await this.#rows.update(
        { id: key, expiresAt: known.expiresAt },
        { fingerprint, answer: null, expiresAt },
      );
      if ((affected ?? 0) > 0) return { state: 'fresh' };
    }
  }

  override async finish(key: string, answer: KeptAnswer): Promise<void> {
    const sealed = this.sealer.seal(JSON.stringify(answer), key);
    const expiresAt = this.clock.now() + KEPT_FOR;
    await this.#rows.update({ id: key, answer: IsNull() }, { answer: sealed, expiresAt });
  }

  override async abandon(key: string): Promise<void> {
    await this.#rows.delete({ id: key, answer: IsNull() });
  }

  get #rows(): Repository<ThornIdempotencyKey> {
    return this.dataSource.getRepository(ThornIdempotencyKey);
  }

  /** @returns whether it was this call that made the row */
  async #insert(row: ThornIdempotencyKey): Promise<boolean> {
    try {
      await this.#rows.insert(row);
      return true;
    } catch (error) {
      if ((await this.#rows.findOneBy({ id: row.id })) === null) throw error;
      return false;
    }
  }

  #stateOf(known: ThornIdempotencyKey, fingerprint: string): KeyState {
    if (known.fingerprint !== fingerprint) return { state: 'different' };
    if (known.answer === null) return { state: 'under-way' };
    const answer = JSON.parse(this.sealer.open(known.answer, known.id)) as KeptAnswer;
    return { state: 'done', answer };
  }

  async #pruneNowAndThen(now: number): Promise<void> {
    if (this.#taken++ % KEYS_BETWEEN_PRUNING !== 0) return;
    await this.#rows.delete({ expiresAt: LessThan(now) });
  }
}
