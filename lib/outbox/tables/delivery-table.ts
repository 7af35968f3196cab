import type { FailureReason } from '../../delivery/index.js';
import type { Columns, Dialect, Statement } from '../database/dialect.js';
import { type Lease, Leases } from './leases.js';
import type { OutboxDatabase, Row } from '../database/outbox-database.js';
import type { TableNames } from '../entities/table-names.js';

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
  /** Whether it has waited for the limit of its subscriber. */
  readonly hasWaited: boolean;
}

const SHARES: Columns = { host: 'text', share: 'int' };
const FAILED: Columns = { id: 'text', reason: 'text', finished_at: 'bigint' };
const COLUMNS =
  'id, message_id, subscriber_id, host, attempts, throttled, requests, attempted_at, turn_at';

/** The claims on `thorn_deliveries`. */
export class DeliveryTable {
  readonly #dialect: Dialect;
  readonly #hosts: string;
  readonly #leases: Leases;

  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
  ) {
    this.#dialect = database.dialect;
    this.#hosts = firstDues(tables.deliveries, this.#dialect);
    this.#leases = new Leases(database, tables.deliveries);
  }

  /** When the next delivery or message may be taken; null when there is nothing to wait for. */
  async nextDue(): Promise<number | null> {
    const { deliveries, messages } = this.tables;
    // Not MIN: of what is not null, MySQL would go through all of it.
    const next = (table: string) =>
      `SELECT due_at FROM ${table} WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1`;
    const { rows } = await this.database.run({
      sql: `SELECT (${next(deliveries)}) AS delivery, (${next(messages)}) AS message`,
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
    const { rows } = await this.database.run({ sql: this.#hosts, parameters: [after, limit] });
    return {
      hosts: rows
        .filter(({ first_due: firstDue }) => Number(firstDue) <= now)
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
      hasWaited: row['turn_at'] !== null,
    }));
  }

  /** Ends waiting deliveries of a subscriber that will get nothing any more. @returns how many; call again if `limit` */
  async fail(
    subscriberId: string,
    reason: FailureReason,
    now: number,
    limit: number,
  ): Promise<number> {
    const { deliveries } = this.tables;
    const [waiting] = await this.database.execute([
      // Held ones are left to their holders.
      {
        sql: `SELECT id FROM ${deliveries} WHERE subscriber_id = ? AND due_at IS NOT NULL AND lease IS NULL LIMIT ${limit} ${this.#dialect.skipLocked}`,
        parameters: [subscriberId],
      },
      ([found]) => {
        if (found!.rows.length === 0) return null;
        const failed = found!.rows.map(({ id }) => ({ id, reason, finished_at: now }));
        return {
          sql: this.#dialect.updateFrom(
            deliveries,
            [
              "status = 'failed'",
              'reason = r.reason',
              'host = NULL',
              'due_at = NULL',
              'turn_at = NULL',
              'finished_at = r.finished_at',
            ],
            this.#dialect.rows('r', FAILED),
            't.id = r.id AND t.lease IS NULL',
          ),
          parameters: [this.#dialect.rowsParameter(FAILED, failed)],
        };
      },
    ]);
    return waiting!.rows.length;
  }

  /** Makes due what waits for the limit of a subscriber. @returns how many; call again if `limit` */
  async expedite(subscriberId: string, now: number, limit: number): Promise<number> {
    const { deliveries } = this.tables;
    const [waiting] = await this.database.execute([
      {
        sql: `SELECT id FROM ${deliveries} WHERE subscriber_id = ? AND due_at > ? AND turn_at IS NOT NULL AND lease IS NULL LIMIT ${limit} ${this.#dialect.skipLocked}`,
        parameters: [subscriberId, now],
      },
      ([found]) => {
        const ids = found!.rows.map(({ id }) => id);
        if (ids.length === 0) return null;
        return {
          sql: `UPDATE ${deliveries} SET due_at = ?, turn_at = ? WHERE lease IS NULL AND id IN (${ids.map(() => '?').join(', ')})`,
          parameters: [now, now, ...ids],
        };
      },
    ]);
    return waiting!.rows.length;
  }

  /** See {@link Leases.renew}. */
  renew(held: readonly Lease[], until: number): Promise<readonly Lease[]> {
    return this.#leases.renew(held, until);
  }

  /** See {@link Leases.release}. */
  release(held: readonly Lease[], dueAt: number): Promise<void> {
    return this.#leases.release(held, dueAt);
  }

  async #claim(
    shares: readonly HostShare[],
    lease: string,
    now: number,
    until: number,
  ): Promise<readonly Row[]> {
    const { deliveries } = this.tables;
    if (this.#dialect.name === 'postgres') {
      const hosts = this.#dialect.rows('h', SHARES);
      // Pairs, because it would rather go through what is due of all hosts, and an array, because it cannot tell how few
      // there are, and would rather go through the table. Of a limit that is a column it knows nothing, and takes a tenth
      // of the table for it; the other one, which never counts, keeps it from compiling code for a million rows.
      const { rows } = await this.database.run({
        sql: `WITH picked AS (SELECT d.id FROM ${hosts} CROSS JOIN LATERAL (SELECT id FROM (SELECT id FROM ${deliveries} WHERE host IS NOT NULL AND (host, due_at) >= (h.host, 0) AND (host, due_at) <= (h.host, ?) ORDER BY host, due_at LIMIT ? FOR UPDATE SKIP LOCKED) l LIMIT h.share) d) UPDATE ${deliveries} SET lease = ?, due_at = ? WHERE id = ANY(ARRAY(SELECT id FROM picked)) RETURNING ${COLUMNS}`,
        parameters: [
          this.#dialect.rowsParameter(
            SHARES,
            shares.map(({ host, limit }) => ({ host, share: limit })),
          ),
          now,
          Math.max(...shares.map(({ limit }) => limit)),
          lease,
          until,
        ],
      });
      return rows;
    }
    const due = (columns: string): Statement => ({
      sql: shares
        .map(
          () =>
            `SELECT ${columns} FROM (SELECT ${columns} FROM ${deliveries} WHERE host = ? AND due_at <= ? ORDER BY due_at LIMIT ? ${this.#dialect.skipLocked}) AS w`,
        )
        .join(' UNION ALL '),
      parameters: shares.flatMap(({ host, limit }) => [host, now, limit]),
    });
    if (!this.#dialect.returns) return this.#leases.claim(due(COLUMNS), lease, until);
    const { sql, parameters } = due('id');
    const { rows } = await this.database.run({
      sql: `UPDATE ${deliveries} SET lease = ?, due_at = ? WHERE id IN (${sql}) RETURNING ${COLUMNS}`,
      parameters: [lease, until, ...parameters],
    });
    return rows;
  }
}

/**
 * Hosts and the time that their first delivery is due. A loose index scan: what a host with a million rows costs is one
 * step. MySQL makes one of a GROUP BY; the others have no word for it, so each step asks for the smallest host behind the
 * one before.
 */
function firstDues(deliveries: string, { name }: Dialect): string {
  if (name === 'mysql') {
    return `SELECT host, MIN(due_at) AS first_due FROM ${deliveries} WHERE host > ? GROUP BY host ORDER BY host LIMIT ?`;
  }
  return `WITH RECURSIVE hosts(host, step) AS (
    SELECT (SELECT MIN(host) FROM ${deliveries} WHERE host > ?), 1
    UNION ALL
    SELECT (SELECT MIN(d.host) FROM ${deliveries} d WHERE d.host > hosts.host), step + 1 FROM hosts
    WHERE hosts.host IS NOT NULL AND step < ?
  )
  SELECT host, (SELECT MIN(d.due_at) FROM ${deliveries} d WHERE d.host = hosts.host) AS first_due
  FROM hosts WHERE host IS NOT NULL ORDER BY host`;
}
