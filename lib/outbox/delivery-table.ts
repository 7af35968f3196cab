import type { FailureReason } from '../delivery/index.js';
import type { Dialect, Statement } from './dialect.js';
import { type Held, ID, released, renewed } from './message-table.js';
import type { OutboxDatabase, Row } from './outbox-database.js';
import type { TableNames } from './tables.js';

/** A host, and how many of its deliveries a claim may take. */
export interface HostShare {
  readonly host: string;
  readonly limit: number;
}

/** A delivery that this process has taken. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly messageId: string;
  readonly subscriberId: string;
  readonly host: string;
  readonly attempts: number;
  readonly throttled: number;
  readonly requests: number;
  readonly attemptedAt: number | null;
}

const SHARES = { host: 'text', share: 'int' } as const;
const COLUMNS = 'id, message_id, subscriber_id, host, attempts, throttled, requests, attempted_at';

/** The claims on `thorn_deliveries`. */
export class DeliveryTable {
  readonly #database: OutboxDatabase;
  readonly #dialect: Dialect;
  readonly #tables: TableNames;
  readonly #hosts: string;

  constructor(database: OutboxDatabase, tables: TableNames) {
    this.#database = database;
    this.#dialect = database.dialect;
    this.#tables = tables;
    this.#hosts = dueHosts(tables.deliveries);
  }

  /** When the next delivery or message may be taken; null when there is nothing to wait for. */
  async nextDue(): Promise<number | null> {
    const { deliveries, messages } = this.#tables;
    const { rows } = await this.#database.run({
      sql: `SELECT (SELECT MIN(due_at) FROM ${deliveries} WHERE due_at IS NOT NULL) AS delivery, (SELECT MIN(due_at) FROM ${messages} WHERE due_at IS NOT NULL) AS message`,
      parameters: [],
    });
    const times = Object.values(rows[0]!).filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times.map(Number));
  }

  /**
   * Hosts with due deliveries, in their order; from one to the next by the index, however many rows each has.
   *
   * @param after the host to begin behind; the empty text for the first
   * @param limit hosts to look at, those without due deliveries included
   * @returns `last`: where to go on, null when there is none behind
   */
  async dueHosts(
    after: string,
    now: number,
    limit: number,
  ): Promise<{ readonly hosts: readonly string[]; readonly last: string | null }> {
    const { rows } = await this.#database.run({
      sql: this.#hosts,
      parameters: [after, limit, now],
    });
    return {
      hosts: rows
        .filter(({ is_due: isDue }) => Number(isDue) === 1)
        .map(({ host }) => host as string),
      last: rows.length < limit ? null : (rows.at(-1)!['host'] as string),
    };
  }

  /** Takes due deliveries, of each host so many at most. No other process gets the same ones. */
  async claim(
    shares: readonly HostShare[],
    lease: string,
    now: number,
    until: number,
  ): Promise<readonly ClaimedDelivery[]> {
    const rows = await this.#claim(shares, lease, now, until);
    return rows.map((row) => ({
      id: row['id'] as string,
      messageId: row['message_id'] as string,
      subscriberId: row['subscriber_id'] as string,
      host: row['host'] as string,
      attempts: Number(row['attempts']),
      throttled: Number(row['throttled']),
      requests: Number(row['requests']),
      attemptedAt: row['attempted_at'] === null ? null : Number(row['attempted_at']),
    }));
  }

  /** Ends waiting deliveries of a subscriber that will get nothing any more. @returns how many; call again if `limit` */
  async fail(
    subscriberId: string,
    reason: FailureReason,
    now: number,
    limit: number,
  ): Promise<number> {
    const { deliveries } = this.#tables;
    // Held ones are left to their holders.
    const waiting = `SELECT id FROM (SELECT id FROM ${deliveries} WHERE subscriber_id = ? AND due_at IS NOT NULL AND lease IS NULL LIMIT ${limit}) AS w`;
    const { affected } = await this.#database.run({
      sql: `UPDATE ${deliveries} SET status = 'failed', reason = ?, host = NULL, due_at = NULL, finished_at = ? WHERE id IN (${waiting}) AND lease IS NULL`,
      parameters: [reason, now, subscriberId],
    });
    return affected;
  }

  /** Puts off the end of leases. @returns those of `held` that are still held */
  async renew(held: readonly Held[], until: number): Promise<readonly Held[]> {
    return renewed(this.#database, this.#tables.deliveries, held, until);
  }

  /** Lets go of deliveries, so that they can be taken at `dueAt`. */
  async release(held: readonly Held[], dueAt: number): Promise<void> {
    await this.#database.run(released(this.#dialect, this.#tables.deliveries, held, dueAt));
  }

  async #claim(
    shares: readonly HostShare[],
    lease: string,
    now: number,
    until: number,
  ): Promise<readonly Row[]> {
    const { deliveries } = this.#tables;
    if (this.#dialect.name === 'postgres') {
      const hosts = this.#dialect.rows('h', SHARES);
      const { rows } = await this.#database.run({
        sql: `WITH picked AS (SELECT d.id FROM ${hosts} CROSS JOIN LATERAL (SELECT id FROM ${deliveries} WHERE host = h.host AND due_at <= ? ORDER BY due_at LIMIT h.share FOR UPDATE SKIP LOCKED) d) UPDATE ${deliveries} SET lease = ?, due_at = ? WHERE id IN (SELECT id FROM picked) RETURNING ${COLUMNS}`,
        parameters: [
          this.#dialect.rowsParameter(
            SHARES,
            shares.map(({ host, limit }) => ({ host, share: limit })),
          ),
          now,
          lease,
          until,
        ],
      });
      return rows;
    }
    const due: Statement = {
      sql: shares
        .map(
          () =>
            `SELECT id FROM (SELECT id FROM ${deliveries} WHERE host = ? AND due_at <= ? ORDER BY due_at LIMIT ?) AS w`,
        )
        .join(' UNION ALL '),
      parameters: shares.flatMap(({ host, limit }) => [host, now, limit]),
    };
    if (this.#dialect.returns) {
      const { rows } = await this.#database.run({
        sql: `UPDATE ${deliveries} SET lease = ?, due_at = ? WHERE id IN (${due.sql}) RETURNING ${COLUMNS}`,
        parameters: [lease, until, ...due.parameters],
      });
      return rows;
    }
    const { rows: picked } = await this.#database.run(due);
    if (picked.length === 0) return [];
    const ids = this.#dialect.rowsParameter(
      ID,
      picked.map(({ id }) => ({ id })),
    );
    const rows = this.#dialect.rows('r', ID);
    const results = await this.#database.execute([
      {
        sql: this.#dialect.updateFrom(
          deliveries,
          ['lease = ?', 'due_at = ?'],
          rows,
          't.id = r.id AND t.due_at <= ?',
        ),
        parameters: [ids, now, lease, until],
      },
      {
        sql: `SELECT t.* FROM ${rows} JOIN ${deliveries} t ON t.id = r.id AND t.lease = ?`,
        parameters: [ids, lease],
      },
    ]);
    return results[1]!.rows;
  }
}

/**
 * A loose index scan: SQL has no word for it, so each step asks for the smallest host behind the one before. What a host
 * with a million rows costs is one step.
 */
function dueHosts(deliveries: string): string {
  return `WITH RECURSIVE hosts(host, step) AS (
    SELECT (SELECT MIN(host) FROM ${deliveries} WHERE host > ?), 1
    UNION ALL
    SELECT (SELECT MIN(d.host) FROM ${deliveries} d WHERE d.host > hosts.host), step + 1 FROM hosts
    WHERE hosts.host IS NOT NULL AND step < ?
  )
  SELECT host, CASE WHEN EXISTS (SELECT 1 FROM ${deliveries} d WHERE d.host = hosts.host AND d.due_at <= ?) THEN 1 ELSE 0 END AS is_due
  FROM hosts WHERE host IS NOT NULL ORDER BY host`;
}
