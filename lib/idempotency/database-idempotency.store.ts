import type { Clock } from '../common/index.js';
import { isTaken } from '../database/database-errors.js';
import { IDEMPOTENCY_KEYS } from '../database/schema/thorn-tables.js';
import { readRows, type SqlTables } from '../database/sql-client.js';
import type { SecretSealer } from '../signing/index.js';
import {
  GIVEN_UP_AFTER,
  IdempotencyStore,
  KEPT_FOR,
  type KeptAnswer,
  type KeyState,
} from './idempotency-store.js';
import {
  type BegunRequest,
  deleteExpiredKeys,
  deleteUnanswered,
  insertKey,
  type KeyRow,
  selectKey,
  takeKeyOver,
  updateAnswer,
} from './idempotency-statements.js';

/** So many keys are taken between two times that the old ones are removed. */
const KEYS_BETWEEN_PRUNING = 100;

/** Keeps answers in the table `thorn_idempotency_keys`, for all processes. */
export class DatabaseIdempotencyStore extends IdempotencyStore {
  readonly #table: string;
  #taken = 0;

  constructor(
    private readonly store: SqlTables,
    private readonly clock: Clock,
    private readonly sealer: SecretSealer,
  ) {
    super();
    this.#table = store.table(IDEMPOTENCY_KEYS.name);
  }

  override async begin(key: string, fingerprint: string): Promise<KeyState> {
    // Ends: where neither is possible, another process has just removed the row.
    for (;;) {
      const now = this.clock.now();
      const [known] = await readRows(this.store, selectKey(this.#table, key));
      const begun = { fingerprint, expires_at: now + GIVEN_UP_AFTER };
      if (known === undefined) {
        if (!(await this.#insert(key, begun))) continue;
        await this.#pruneNowAndThen(now);
        return { state: 'fresh' };
      }
      if (Number(known.expires_at) > now) return this.#stateOf(known, fingerprint);
      const { affected } = await this.store.run(takeKeyOver(this.#table, known, begun));
      if (affected > 0) return { state: 'fresh' };
    }
  }

  override async finish(key: string, answer: KeptAnswer): Promise<void> {
    const sealed = this.sealer.seal(JSON.stringify(answer), key);
    await this.store.run(updateAnswer(this.#table, key, sealed, this.clock.now() + KEPT_FOR));
  }

  override async abandon(key: string): Promise<void> {
    await this.store.run(deleteUnanswered(this.#table, key));
  }

  /** @returns whether it was this call that made the row */
  async #insert(key: string, begun: BegunRequest): Promise<boolean> {
    try {
      await this.store.run(insertKey(this.#table, key, begun));
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      throw error;
    }
  }

  #stateOf(known: KeyRow, fingerprint: string): KeyState {
    if (known.fingerprint !== fingerprint) return { state: 'different' };
    if (known.answer === null) return { state: 'under-way' };
    const answer = JSON.parse(this.sealer.open(known.answer, known.id)) as KeptAnswer;
    return { state: 'done', answer };
  }

  async #pruneNowAndThen(now: number): Promise<void> {
    if (this.#taken++ % KEYS_BETWEEN_PRUNING !== 0) return;
    await this.store.run(deleteExpiredKeys(this.#table, now));
  }
}
