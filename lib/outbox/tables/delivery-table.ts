import { timeFromId } from '../../common/id.js';
import type { FailureReason } from '../../delivery/index.js';
import type { Columns, Dialect, Statement } from '../../database/dialect.js';
import { latestStart } from './delivery-record.js';
import { idFrom, keyOf, pairOf } from './keys.js';
import { Leases } from './leases.js';
import { MAX_THROTTLED } from '../delivery-states.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Row } from '../../database/sql-client.js';
import type { TableNames } from './table-names.js';

/** A host, and the number of its deliveries that a claim may take. */
export interface HostShare {
  readonly host: string;
  readonly limit: number;
}

/** How waiting deliveries end. */
interface Ending {
  readonly reason: FailureReason;
  readonly now: number;
  /** Those of messages from then on go on waiting. Default: none do. */
  readonly before?: number | undefined;
}

/** A delivery that this process has claimed. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly messageId: string;
  readonly subscriberId: string;
  readonly host: string;
  readonly attempts: number;
  readonly throttled: number;
  readonly requests: number;
  readonly attemptedAt: number | null;
  /** A hash of the message's key when the delivery is ordered, else null. */
  readonly keyHash: string | null;
  /** Why it has failed for good, when it has held its key since; else null. */
  readonly reason: FailureReason | null;
  /** True when the delivery has waited for the rate limit of its subscriber. */
  readonly hasWaited: boolean;
}

/** Milliseconds before and after a host is well again: what failed and would be tried again in between goes at once. */
const SOON = 10 * 60_000;
const SHARES: Columns = { host: 'text', share: 'int' };
const FAILED: Columns = { id: 'uuid', reason: 'text', finished_at: 'bigint' };
/** The columns that {@link parseClaimedRow} reads. */
export const CLAIMED_COLUMNS =
  'id, message_id, subscriber_id, given_message_id, given_subscriber_id, host, attempts, throttled, requests, attempted_at, started_at, permit_at, key_hash, reason';

/** The claims on `thorn_deliveries`. */
export class DeliveryTable {
  readonly #dialect: Dialect;
  readonly #hosts: string;
  readonly leases: Leases;

  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
  ) {
    this.#dialect = database.dialect;
    this.#hosts = firstDues(tables.deliveries, this.#dialect);
    this.leases = new Leases(database, tables.deliveries, 'dlv_');
  }

  /** Returns the time at which the next delivery or message is due; null when nothing is pending. */
  async nextDue(): Promise<number | null> {
    const { deliveries, pendingMessages } = this.tables;
    // MIN would make MySQL read every row that is not null.
    const next = (table: string) =>
      `SELECT due_at FROM ${table} WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1`;
    const { rows } = await this.database.run({
      sql: `SELECT (${next(deliveries)}) AS delivery, (${next(pendingMessages)}) AS message`,
      parameters: [],
    });
    const times = Object.values(rows[0]!).filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times.map(Number));
  }

  /**
   * Lists hosts with due deliveries in index order; the cost per host does not depend on its number of rows.
   *
   * @param after the host to start behind; an empty string for the first page
   * @param limit hosts to look at, including those without due deliveries
   * @returns `last`: where to resume, null at the end
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

  /** Claims due deliveries, up to the share of each host. Other processes cannot claim the same rows. */
  async claim(
    shares: readonly HostShare[],
    token: string,
    now: number,
    until: number,
  ): Promise<readonly ClaimedDelivery[]> {
    const rows = await this.#claim(shares, token, now, until);
    return rows.map(parseClaimedRow);
  }

  /** Fails the waiting deliveries of a disabled, removed or expired subscriber. @returns the count; call again if `limit` */
  async fail(
    subscriberId: string,
    { reason, now, before = Number.POSITIVE_INFINITY }: Ending,
    limit: number,
  ): Promise<number> {
    const { deliveries } = this.tables;
    let count = 0;
    await this.database.execute([
      // Held deliveries are left to their holders.
      {
        sql: `SELECT id FROM ${deliveries} WHERE subscriber_id = ? AND due_at IS NOT NULL AND lease IS NULL LIMIT ${limit} ${this.#dialect.skipLocked}`,
        parameters: [keyOf('sub_', subscriberId)],
      },
      ([found]) => {
        // Not in the statement, which might then read the finished ones as well.
        const ended = found!.rows.filter(({ id }) => timeFromId(`dlv_${id as string}`) < before);
        count = ended.length;
        if (count === 0) return null;
        const failed = ended.map(({ id }) => ({ id, reason, finished_at: now }));
        return {
          sql: this.#dialect.updateFrom(
            deliveries,
            [
              "status = 'failed'",
              'reason = r.reason',
              'host = NULL',
              'due_at = NULL',
              'permit_at = NULL',
              'key_hash = NULL',
              'queue_position = NULL',
              'finished_at = r.finished_at',
            ],
            this.#dialect.rows('r', FAILED),
            't.id = r.id AND t.lease IS NULL',
          ),
          parameters: [this.#dialect.rowsParameter(FAILED, failed)],
        };
      },
    ]);
    return count;
  }

  /** Makes deliveries due that wait for the rate limit of a subscriber. @returns the count; call again if `limit` */
  async expedite(subscriberId: string, now: number, limit: number): Promise<number> {
    const waiting = {
      sql: `SELECT id FROM ${this.tables.deliveries} WHERE subscriber_id = ? AND due_at > ? AND permit_at IS NOT NULL AND lease IS NULL LIMIT ${limit} ${this.#dialect.skipLocked}`,
      parameters: [keyOf('sub_', subscriberId), now],
    };
    const update = 'due_at = ?, permit_at = ? WHERE lease IS NULL';
    return (await this.leases.change(waiting, update, [now, now])).length;
  }

  /**
   * Makes deliveries due that failed a short time ago without an answer, or with one that says that the host is away (502,
   * 503, 504), and would be tried again soon. That attempt then does not count: the host was down.
   *
   * @param begunBy the latest start of such an attempt
   * @returns the count; call again if `limit`
   */
  async bringForward(host: string, now: number, begunBy: number, limit: number): Promise<number> {
    const waiting = {
      sql: `SELECT id FROM ${this.tables.deliveries} WHERE host = ? AND due_at > ? AND due_at <= ? AND status = 'pending' AND lease IS NULL AND permit_at IS NULL AND (response_status IS NULL OR response_status IN (502, 503, 504)) AND attempts > 0 AND throttled < ${MAX_THROTTLED} AND COALESCE(attempted_at, started_at) >= ? AND COALESCE(attempted_at, started_at) <= ? LIMIT ${limit} ${this.#dialect.skipLocked}`,
      parameters: [host, now, now + SOON, now - SOON, begunBy],
    };
    const update =
      'due_at = ?, attempts = attempts - 1, throttled = throttled + 1 WHERE lease IS NULL AND due_at > ?';
    return (await this.leases.change(waiting, update, [now, now])).length;
  }

  async #claim(
    shares: readonly HostShare[],
    token: string,
    now: number,
    until: number,
  ): Promise<readonly Row[]> {
    const { deliveries } = this.tables;
    if (this.#dialect.name === 'postgres') {
      const hosts = this.#dialect.rows('h', SHARES);
      // Row-value comparisons keep PostgreSQL from scanning the due rows of all hosts. The array keeps PostgreSQL from
      // scanning the table, since the planner cannot estimate the number of ids. For a LIMIT from a column, the planner
      // assumes a tenth of the table; the inner constant LIMIT, which never applies, prevents JIT compilation for a
      // million rows.
      const { rows } = await this.database.run({
        sql: `WITH picked AS (SELECT d.id FROM ${hosts} CROSS JOIN LATERAL (SELECT id FROM (SELECT id FROM ${deliveries} WHERE host IS NOT NULL AND (host, due_at) >= (h.host, 0) AND (host, due_at) <= (h.host, ?) ORDER BY host, due_at LIMIT ? FOR UPDATE SKIP LOCKED) l LIMIT h.share) d) UPDATE ${deliveries} SET lease = ?, due_at = ? WHERE id = ANY(ARRAY(SELECT id FROM picked)) RETURNING ${CLAIMED_COLUMNS}`,
        parameters: [
          this.#dialect.rowsParameter(
            SHARES,
            shares.map(({ host, limit }) => ({ host, share: limit })),
          ),
          now,
          Math.max(...shares.map(({ limit }) => limit)),
          token,
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
    if (!this.#dialect.returns) return this.leases.claim(due(CLAIMED_COLUMNS), token, until);
    const { sql, parameters } = due('id');
    const { rows } = await this.database.run({
      sql: `UPDATE ${deliveries} SET lease = ?, due_at = ? WHERE id IN (${sql}) RETURNING ${CLAIMED_COLUMNS}`,
      parameters: [token, until, ...parameters],
    });
    return rows;
  }
}

/** Reads a row with {@link CLAIMED_COLUMNS}. */
export function parseClaimedRow(row: Row): ClaimedDelivery {
  return {
    id: idFrom('dlv_', row['id'], null),
    ...pairOf(row),
    host: row['host'] as string,
    attempts: Number(row['attempts']),
    throttled: Number(row['throttled']),
    requests: Number(row['requests']),
    attemptedAt: latestStart(row),
    keyHash: row['key_hash'] as string | null,
    reason: row['reason'] as FailureReason | null,
    hasWaited: row['permit_at'] !== null,
  };
}

/**
 * Hosts and the due time of their first delivery, by a loose index scan: each host costs one step, however many rows it
 * has. MySQL does so for a GROUP BY. The other databases cannot, so each step selects the smallest host behind the
 * previous one.
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
