import type { SqlStore } from '../../database/sql-store.js';
import type { Row } from '../../database/sql-client.js';
import {
  grantPermits,
  type PermitGrant,
  type PermitGrants,
  type PermitRequests,
} from './permits.js';
import {
  deleteOldLimits,
  insertLimits,
  type RateLimitTable,
  selectLimits,
  updateLimits,
} from '../tables/rate-limits.js';
import { expiresAt, serializeWindow, parseWindow } from './sliding-window.js';

const MOST_AT_ONCE = 500;
/** Milliseconds that a row is kept after its window has passed. */
const KEPT_FOR = 24 * 60 * 60_000;

/**
 * Grants permits for attempts at subscribers with a rate limit. All processes together get no more than {@link grantPermits}
 * allows, whatever their order: permits are in the table `thorn_rate_limits`, and one transaction for all subscribers of a
 * request locks their rows.
 */
export class DatabaseRateLimiter {
  readonly #table: RateLimitTable;

  /** @param table its quoted name */
  constructor(
    private readonly database: SqlStore,
    table: string,
  ) {
    this.#table = { dialect: database.dialect, table };
  }

  /**
   * @param now by the clock of the caller, in milliseconds since the Unix epoch
   * @returns a grant for each of `asks`
   * @throws when the database does not answer; no attempt may begin then
   */
  async grant(asks: PermitRequests, now: number): Promise<PermitGrants> {
    const answers = new Map<string, PermitGrant>();
    const ids = [...asks.keys()];
    while (ids.length > 0) {
      let some = ids.splice(0, MOST_AT_ONCE);
      // Ends: a row that is missing is there the second time.
      while (some.length > 0) {
        const given = await this.#grant(some, asks, now);
        for (const [id, answer] of given) answers.set(id, answer);
        some = some.filter((id) => !given.has(id));
        if (some.length > 0) await this.#insert(some, now);
      }
    }
    return answers;
  }

  async #grant(ids: readonly string[], asks: PermitRequests, now: number): Promise<PermitGrants> {
    let given = new Map<string, PermitGrant>();
    await this.database.execute([
      selectLimits(this.#table, ids),
      ([found]) => {
        given = new Map();
        if (found!.rows.length === 0) return null;
        const rows = found!.rows.map((row) => written(row, asks, now, given));
        return updateLimits(this.#table, rows);
      },
    ]);
    return given;
  }

  /** Rows of subscribers that are new here; the place to forget removed subscribers. */
  async #insert(ids: readonly string[], now: number): Promise<void> {
    const rows = ids.map((id) => ({ subscriber_id: id, state: '', kept_until: now }));
    await this.database.run(insertLimits(this.#table, rows));
    await this.database.run(deleteOldLimits(this.#table, now - KEPT_FOR));
  }
}

function written(row: Row, asks: PermitRequests, now: number, given: Map<string, PermitGrant>) {
  const id = row['subscriber_id'] as string;
  const { window, answer } = grantPermits(parseWindow(row['state'] as string), asks.get(id)!, now);
  given.set(id, answer);
  return {
    subscriber_id: id,
    state: serializeWindow(window),
    kept_until: Math.ceil(expiresAt(window)),
  };
}
