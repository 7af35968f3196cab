import type { Columns } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Row } from '../../database/sql-client.js';
import {
  grantPermits,
  type PermitGrant,
  type PermitGrants,
  type PermitRequests,
} from './permits.js';
import { expiresAt, serializeWindow, parseWindow } from './sliding-window.js';

const MOST_AT_ONCE = 500;
/** Milliseconds that a row is kept after its window has passed. */
const KEPT_FOR = 24 * 60 * 60_000;
const COLUMNS: Columns = { subscriber_id: 'text', state: 'text', kept_until: 'bigint' };

/**
 * Grants permits for attempts at subscribers with a rate limit. All processes together get no more than {@link grantPermits}
 * allows, whatever their order: permits are in the table `thorn_rate_limits`, and one transaction for all subscribers of a
 * request locks their rows.
 */
export class DatabaseRateLimiter {
  /** @param table its quoted name */
  constructor(
    private readonly database: SqlStore,
    private readonly table: string,
  ) {}

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
    const { dialect } = this.database;
    let given = new Map<string, PermitGrant>();
    await this.database.execute([
      // In one order, so that two transactions that want the same rows wait for each other.
      {
        sql: `SELECT subscriber_id, state FROM ${this.table} WHERE subscriber_id IN (${ids.map(() => '?').join(', ')}) ORDER BY subscriber_id ${dialect.name === 'sqlite' ? '' : 'FOR UPDATE'}`,
        parameters: ids,
      },
      ([found]) => {
        given = new Map();
        if (found!.rows.length === 0) return null;
        const rows = found!.rows.map((row) => written(row, asks, now, given));
        return {
          sql: dialect.updateFrom(
            this.table,
            ['state = r.state', 'kept_until = r.kept_until'],
            dialect.rows('r', COLUMNS),
            't.subscriber_id = r.subscriber_id',
          ),
          parameters: [dialect.rowsParameter(COLUMNS, rows)],
        };
      },
    ]);
    return given;
  }

  /** Rows of subscribers that are new here; the place to forget those that are gone. */
  async #insert(ids: readonly string[], now: number): Promise<void> {
    const { dialect } = this.database;
    const rows = ids.map((id) => ({ subscriber_id: id, state: '', kept_until: now }));
    const names = Object.keys(COLUMNS);
    await this.database.run({
      sql: dialect.insertNew(
        this.table,
        names,
        `SELECT ${names.map((name) => `r.${name}`).join(', ')} FROM ${dialect.rows('r', COLUMNS)} WHERE r.subscriber_id IS NOT NULL`,
      ),
      parameters: [dialect.rowsParameter(COLUMNS, rows)],
    });
    await this.database.run({
      sql: `DELETE FROM ${this.table} WHERE kept_until < ?`,
      parameters: [now - KEPT_FOR],
    });
  }
}

function written(
  row: Row,
  asks: PermitRequests,
  now: number,
  given: Map<string, PermitGrant>,
): object {
  const id = row['subscriber_id'] as string;
  const { window, answer } = grantPermits(parseWindow(row['state'] as string), asks.get(id)!, now);
  given.set(id, answer);
  return {
    subscriber_id: id,
    state: serializeWindow(window),
    kept_until: Math.ceil(expiresAt(window)),
  };
}
