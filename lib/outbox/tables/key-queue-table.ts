import { type Columns, type Dialect, idRows, type Statement } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Row } from '../../database/sql-client.js';
import type { TableNames } from './table-names.js';
import { NOT_DUE } from '../delivery-states.js';
import { FIRST_KEY } from './keys.js';
import { CLAIMED_COLUMNS, type ClaimedDelivery, parseClaimedRow } from './delivery-table.js';
import type { NewLease } from './leases.js';

/** The unfinished deliveries of the messages of one key to one subscriber; both as they are in the table. */
export interface KeyQueue {
  readonly keyHash: string;
  readonly subscriberId: string;
}

/** A delivery that enters the queue of its key, as a row of the table. */
export interface EnteringRow {
  readonly id: string;
  readonly message_id: string;
  readonly subscriber_id: string;
  readonly given_message_id: string | null;
  readonly given_subscriber_id: string | null;
  readonly event: string;
  readonly host: string;
  readonly key_hash: string;
  readonly sequence: number;
  /** The token of the message's lease. */
  readonly held_by: string;
  /** This and the following are set when it is known whether the delivery has its turn. */
  queue_position: number;
  due_at: number;
  lease: string | null;
}

/** A message whose ordered deliveries enter their queues. */
export interface EnteringMessage {
  readonly id: string;
  readonly lease: string;
}

/** Subscribers that one statement looks for: MariaDB ends a recursion after 1,000 without a word, MySQL with an error. */
const SUBSCRIBERS_AT_ONCE = 100;

const QUEUES: Columns = { number: 'int', key_hash: 'uuid', subscriber_id: 'uuid' };
const KEYS: Columns = { key_hash: 'uuid', last_id: 'uuid' };
const HELD: Columns = { id: 'uuid', lease: 'text' };
const ENTERING: Columns = {
  id: 'uuid',
  message_id: 'uuid',
  subscriber_id: 'uuid',
  given_message_id: 'text',
  given_subscriber_id: 'text',
  event: 'text',
  host: 'text',
  key_hash: 'uuid',
  queue_position: 'bigint',
  due_at: 'bigint',
  lease: 'text',
  held_by: 'text',
};

/**
 * The SQL of ordered deliveries. Those of one subscriber and key are a queue in `thorn_deliveries`, by the columns
 * `key_hash`, `subscriber_id` and `queue_position`. One of them at most has its turn: position 0, which a unique index guards. The
 * others wait with their sequence as position, and are never due. While a bulk operation is under way for the subscriber, no
 * delivery gets a turn: later batches may bring earlier messages of any key.
 */
export class KeyQueueTable {
  readonly #dialect: Dialect;

  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
  ) {
    this.#dialect = database.dialect;
  }

  /**
   * Writes the ordered deliveries of messages, as long as the messages are held. A delivery has its turn, and is leased, if
   * no earlier message of its key is unfinished for the subscriber, and no bulk operation is under way for the subscriber.
   *
   * @returns the ids of the rows that have their turn
   */
  async enter(
    rows: readonly EnteringRow[],
    messages: readonly EnteringMessage[],
    lease: NewLease,
    now: number,
  ): Promise<ReadonlySet<string>> {
    const { deliveries, pendingMessages: pending } = this.tables;
    const firsts = firstOfEachQueue(rows);
    const results = await this.database.execute([
      this.#gate(firsts, now),
      ([gate]) => {
        const free = new Set(gate!.rows.filter(isFree(firsts)).map((row) => firsts[numberOf(row)]));
        for (const row of rows) {
          const hasTurn = free.has(row);
          row.queue_position = hasTurn ? 0 : row.sequence;
          row.due_at = hasTurn ? lease.leasedUntil : NOT_DUE;
          row.lease = hasTurn ? lease.token : null;
        }
        const names = Object.keys(ENTERING).slice(0, -1);
        return {
          // A conflict over a position has to fail, so that it is looked at again: no ON CONFLICT.
          sql: `INSERT INTO ${deliveries} (${names.join(', ')}, status, attempts, throttled, requests) SELECT ${names.map((name) => `r.${name}`).join(', ')}, 'pending', 0, 0, 0 FROM ${this.#dialect.rows('r', ENTERING)} ${this.#dialect.join} ${pending} p ON p.id = r.message_id WHERE p.lease = r.held_by AND NOT EXISTS (SELECT 1 FROM ${deliveries} k WHERE k.id = r.id)${this.#dialect.returns ? ' RETURNING id' : ''}`,
          parameters: [this.#dialect.rowsParameter(ENTERING, rows)],
        };
      },
      {
        sql: this.#dialect.updateFrom(
          pending,
          ['key_hash = NULL'],
          this.#dialect.rows('r', HELD),
          't.id = r.id AND t.lease = r.lease',
        ),
        parameters: [this.#dialect.rowsParameter(HELD, messages)],
      },
      () => (this.#dialect.returns ? null : this.#leased(rows, lease.token)),
    ]);
    const written = new Set(results[this.#dialect.returns ? 1 : 3]!.rows.map(({ id }) => id));
    return new Set(
      rows.flatMap(({ id, queue_position }) => (queue_position === 0 && written.has(id) ? id : [])),
    );
  }

  /**
   * Gives the first delivery of each queue its turn, unless one has it, or an earlier message of the key has no deliveries
   * yet, or a bulk operation is under way for the subscriber.
   *
   * @param lease null: any worker may claim them now
   * @returns those that are leased
   */
  async promote(
    queues: readonly KeyQueue[],
    now: number,
    lease: NewLease | null,
  ): Promise<readonly ClaimedDelivery[]> {
    if (queues.length === 0) return [];
    // Most often there is nothing to give, so it is looked for without a transaction. What changes in between is guarded
    // by the condition of the update, and by the unique index.
    const heads = await this.database.run(this.#heads(queues, now));
    if (heads.rows.length === 0) return [];
    const { rows, parameter } = this.#idsOf(heads.rows);
    const due = this.#dueBy(lease, now);
    const sql = this.#dialect.updateFrom(
      this.tables.deliveries,
      ['queue_position = 0', ...due.sql],
      rows,
      't.id = r.id AND t.queue_position > 0 AND t.lease IS NULL',
    );
    const update = {
      sql: this.#dialect.returns ? `${sql} RETURNING ${this.#returned('t')}` : sql,
      // MySQL has the rows before SET.
      parameters:
        this.#dialect.name === 'mysql'
          ? [parameter, ...due.parameters]
          : [...due.parameters, parameter],
    };
    const results = await this.database.execute(
      this.#dialect.returns || lease === null
        ? [update]
        : [update, () => this.#leased(heads.rows, lease.token)],
    );
    if (lease === null) return [];
    const leased = new Set(results.at(-1)!.rows.map(({ id }) => id));
    return heads.rows.filter(({ id }) => leased.has(id)).map(parseClaimedRow);
  }

  /** The id in RETURNING, which knows the alias on PostgreSQL alone. */
  #returned(alias: string): string {
    return this.#dialect.name === 'postgres' ? `${alias}.id` : 'id';
  }

  /** Finds the queues of keys in which a delivery waits. The cost of one does not depend on its number of deliveries. */
  async queuesOf(keyHashes: readonly string[]): Promise<readonly KeyQueue[]> {
    const queues: KeyQueue[] = [];
    let keys = keyHashes.map((hash) => ({ key_hash: hash, last_id: FIRST_KEY }));
    while (keys.length > 0) {
      const { rows } = await this.database.run(this.#queuesBehind(keys));
      queues.push(...rows.filter((row) => Number(row['waits']) === 1).map(queueOf));
      keys = rows
        .filter(({ number }) => Number(number) === SUBSCRIBERS_AT_ONCE)
        .map(queueOf)
        .map(({ keyHash, subscriberId }) => ({ key_hash: keyHash, last_id: subscriberId }));
    }
    return queues;
  }

  /** The next queues of keys: those in which a delivery waits, and the last one that was looked at. */
  #queuesBehind(keys: readonly Readonly<Record<'key_hash' | 'last_id', string>>[]): Statement {
    const { deliveries } = this.tables;
    const next = (key: string, last: string) =>
      `(SELECT d.subscriber_id FROM ${deliveries} d WHERE d.key_hash = ${key} AND d.subscriber_id > ${last} ORDER BY d.subscriber_id LIMIT 1)`;
    return {
      sql: `WITH RECURSIVE s(key_hash, subscriber_id, number) AS (SELECT r.key_hash, ${next('r.key_hash', 'r.last_id')}, 1 FROM ${this.#dialect.rows('r', KEYS)}
        UNION ALL SELECT s.key_hash, ${next('s.key_hash', 's.subscriber_id')}, s.number + 1 FROM s WHERE s.subscriber_id IS NOT NULL AND s.number < ${SUBSCRIBERS_AT_ONCE})
        SELECT q.* FROM (SELECT s.key_hash, s.subscriber_id, s.number, CASE WHEN (SELECT MAX(d.queue_position) FROM ${deliveries} d WHERE d.key_hash = s.key_hash AND d.subscriber_id = s.subscriber_id) > 0 THEN 1 ELSE 0 END AS waits FROM s WHERE s.subscriber_id IS NOT NULL) q
        WHERE q.waits = 1 OR q.number = ${SUBSCRIBERS_AT_ONCE}`,
      parameters: [this.#dialect.rowsParameter(KEYS, keys)],
    };
  }

  #gate(firsts: readonly EnteringRow[], now: number): Statement {
    const { deliveries, pendingMessages, bulkOperations } = this.tables;
    return {
      sql: `SELECT r.number, (SELECT d.queue_position FROM ${deliveries} d WHERE d.key_hash = r.key_hash AND d.subscriber_id = r.subscriber_id ORDER BY d.queue_position LIMIT 1) AS head, (SELECT p.sequence FROM ${pendingMessages} p WHERE p.key_hash = r.key_hash ORDER BY p.sequence LIMIT 1) AS earliest, (SELECT MAX(b.expires_at) FROM ${bulkOperations} b WHERE b.subscriber_id = r.subscriber_id AND b.expires_at > ?) AS held FROM ${this.#dialect.rows('r', QUEUES)}`,
      parameters: [
        now,
        this.#dialect.rowsParameter(
          QUEUES,
          firsts.map((row, number) => ({ ...row, number })),
        ),
      ],
    };
  }

  #heads(queues: readonly KeyQueue[], now: number): Statement {
    const { deliveries, pendingMessages, bulkOperations } = this.tables;
    const columns = CLAIMED_COLUMNS.split(', ').map((name) => `h.${name}`);
    return {
      sql: `SELECT ${columns.join(', ')} FROM (SELECT (SELECT d.id FROM ${deliveries} d WHERE d.key_hash = r.key_hash AND d.subscriber_id = r.subscriber_id ORDER BY d.queue_position LIMIT 1) AS head FROM ${this.#dialect.rows('r', QUEUES)}) x ${this.#dialect.join} ${deliveries} h ON h.id = x.head
        WHERE h.queue_position > 0 AND NOT EXISTS (SELECT 1 FROM ${pendingMessages} p WHERE p.key_hash = h.key_hash AND p.sequence < h.queue_position)
        AND NOT EXISTS (SELECT 1 FROM ${bulkOperations} b WHERE b.subscriber_id = h.subscriber_id AND b.expires_at > ?)`,
      parameters: [
        this.#dialect.rowsParameter(
          QUEUES,
          queues.map(({ keyHash, subscriberId }, number) => ({
            number,
            key_hash: keyHash,
            subscriber_id: subscriberId,
          })),
        ),
        now,
      ],
    };
  }

  #dueBy(lease: NewLease | null, now: number): { sql: readonly string[]; parameters: unknown[] } {
    return lease === null
      ? { sql: ['due_at = ?'], parameters: [now] }
      : { sql: ['due_at = ?', 'lease = ?'], parameters: [lease.leasedUntil, lease.token] };
  }

  /** Those of the rows that carry a token. */
  #leased(rows: readonly { readonly id?: unknown }[], token: string): Statement | null {
    if (rows.length === 0) return null;
    const { rows: ids, parameter } = this.#idsOf(rows);
    return {
      sql: `SELECT t.id FROM ${ids} ${this.#dialect.join} ${this.tables.deliveries} t ON t.id = r.id WHERE t.lease = ?`,
      parameters: [parameter, token],
    };
  }

  #idsOf(rows: readonly { readonly id?: unknown }[]) {
    return idRows(
      this.#dialect,
      rows.map(({ id }) => id),
    );
  }
}

/** The earliest row of each queue: the others come after it. */
function firstOfEachQueue(rows: readonly EnteringRow[]): readonly EnteringRow[] {
  const firsts = new Map<string, EnteringRow>();
  for (const row of rows) {
    const queue = `${row.key_hash} ${row.subscriber_id}`;
    const first = firsts.get(queue);
    if (first === undefined || row.sequence < first.sequence) firsts.set(queue, row);
  }
  return [...firsts.values()];
}

function isFree(firsts: readonly EnteringRow[]) {
  return (row: Row): boolean =>
    row['head'] === null &&
    row['held'] === null &&
    (row['earliest'] === null || Number(row['earliest']) >= firsts[numberOf(row)]!.sequence);
}

function numberOf(row: Row): number {
  return Number(row['number']);
}

export function queueOf(row: Row): KeyQueue {
  return {
    keyHash: row['key_hash'] as string,
    subscriberId: row['subscriber_id'] as string,
  };
}
