import type { Clock } from '../common/index.js';
import { isTaken } from '../database/database-errors.js';
import type { RowOf } from '../database/schema/table-definition.js';
import { IDEMPOTENCY_KEYS } from '../database/schema/thorn-tables.js';
import type { SqlTables } from '../database/sql-client.js';
import { TableRows } from '../database/table-rows.js';
import type { SecretSealer } from '../signing/index.js';
import {
  GIVEN_UP_AFTER,
  IdempotencyStore,
  KEPT_FOR,
  type KeptAnswer,
  type KeyState,
} from './idempotency-store.js';

/** So many keys are taken between two times that the old ones are removed. */
const KEYS_BETWEEN_PRUNING = 100;

type KeyRow = RowOf<typeof IDEMPOTENCY_KEYS>;

/** Keeps answers in the table `thorn_idempotency_keys`, for all processes. */
export class DatabaseIdempotencyStore extends IdempotencyStore {
  readonly #rows: TableRows<KeyRow>;
  #taken = 0;

  constructor(
    store: SqlTables,
    private readonly clock: Clock,
    private readonly sealer: SecretSealer,
  ) {
    super();
    this.#rows = new TableRows(store, store.table(IDEMPOTENCY_KEYS.name));
  }

  override async begin(key: string, fingerprint: string): Promise<KeyState> {
    // Ends: where neither is possible, another process has just removed the row.
    for (;;) {
      const now = this.clock.now();
      const [known] = await this.#rows.select('id = ?', key);
      const fresh = { fingerprint, answer: null, expires_at: now + GIVEN_UP_AFTER };
      if (known === undefined) {
        if (!(await this.#insert({ id: key, ...fresh }))) continue;
        await this.#pruneNowAndThen(now);
        return { state: 'fresh' };
      }
      if (Number(known.expires_at) > now) return this.#stateOf(known, fingerprint);
      const unchanged = 'id = ? AND expires_at = ?';
      if ((await this.#rows.update(fresh, unchanged, key, known.expires_at)) > 0) {
        return { state: 'fresh' };
      }
    }
  }

  override async finish(key: string, answer: KeptAnswer): Promise<void> {
    const sealed = this.sealer.seal(JSON.stringify(answer), key);
    const done = { answer: sealed, expires_at: this.clock.now() + KEPT_FOR };
    await this.#rows.update(done, 'id = ? AND answer IS NULL', key);
  }

  override async abandon(key: string): Promise<void> {
    await this.#rows.delete('id = ? AND answer IS NULL', key);
  }

  /** @returns whether it was this call that made the row */
  async #insert(row: KeyRow): Promise<boolean> {
    try {
      await this.#rows.insert(row);
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
    await this.#rows.delete('expires_at < ?', now);
  }
}
