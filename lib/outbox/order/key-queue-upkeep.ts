import { type Dialect, idRows } from '../database/dialect.js';
import type { OutboxDatabase } from '../database/outbox-database.js';
import type { TableNames } from '../entities/table-names.js';
import { NOT_DUE } from '../model/delivery-state.js';
import { FIRST_KEY, idFrom, keyOf, pairOf } from '../tables/keys.js';
import { DEFERRED, type KeyQueue, queueOf } from './key-queue-table.js';

/** Some of the queues. */
export interface QueuePage {
  readonly queues: readonly KeyQueue[];
  /** Deliveries of theirs that have failed for good and hold their key. */
  readonly holding: readonly {
    readonly id: string;
    readonly messageId: string;
    readonly subscriberId: string;
  }[];
  /** Where to go on; null at the end. */
  readonly last: KeyQueue | null;
}

/** Rounds in which a bulk operation may do nothing. After a longer rest it counts as ended. */
const ROUNDS_AT_REST = 5;
const SETTLED_AT_ONCE = 500;

const HOLDING = 'id, message_id, given_message_id, given_subscriber_id, place, status';

/** The SQL that looks after queues: finds those that stand still, and ends holds and queues that nobody wants any more. */
export class KeyQueueUpkeep {
  readonly #dialect: Dialect;
  /** Of subscribers with deferred deliveries: how many those were, and for how many rounds. */
  #deferred = new Map<string, { readonly count: number; readonly rounds: number }>();

  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
  ) {
    this.#dialect = database.dialect;
  }

  /** Lists queues behind one, out of so many rows. */
  async page(after: KeyQueue | null, limit: number): Promise<QueuePage> {
    const { keyHash, subscriberId } = after ?? { keyHash: FIRST_KEY, subscriberId: FIRST_KEY };
    const isBehind =
      this.#dialect.name === 'mysql'
        ? 'key_hash >= ? AND (key_hash > ? OR subscriber_id > ?)'
        : 'key_hash >= ? AND (key_hash, subscriber_id) > (?, ?)';
    const { rows } = await this.database.run({
      sql: `SELECT key_hash, subscriber_id, ${HOLDING} FROM ${this.tables.deliveries} WHERE key_hash IS NOT NULL AND ${isBehind} ORDER BY key_hash, subscriber_id, place LIMIT ?`,
      parameters: [keyHash, keyHash, subscriberId, limit],
    });
    const queues = distinct(rows.map(queueOf));
    const holding = rows
      .filter(({ place, status }) => Number(place) === 0 && status === 'failed')
      .map((row) => ({ id: idFrom('dlv_', row['id'], null), ...pairOf(row) }));
    return { queues, holding, last: rows.length < limit ? null : queues.at(-1)! };
  }

  /**
   * Puts deliveries at their place that a bulk operation has deferred: those of some queues of a subscriber. A queue gives
   * turns again once this is done for all of its deliveries.
   *
   * @param subscriberId as it is in the table
   * @param after the `last` of the call before, or null
   */
  async settle(
    subscriberId: string,
    after: string | null,
  ): Promise<{ readonly queues: readonly KeyQueue[]; readonly last: string | null }> {
    const { deliveries } = this.tables;
    const { rows } = await this.database.run({
      sql: `SELECT id, key_hash, subscriber_id FROM ${deliveries} WHERE key_hash IS NOT NULL AND key_hash >= ? AND subscriber_id = ? AND place > ${DEFERRED} ORDER BY key_hash LIMIT ${SETTLED_AT_ONCE}`,
      parameters: [after ?? FIRST_KEY, subscriberId],
    });
    if (rows.length === 0) return { queues: [], last: null };
    const { rows: found, parameter } = idRows(
      this.#dialect,
      rows.map(({ id }) => id),
    );
    await this.database.run({
      sql: this.#dialect.updateFrom(
        deliveries,
        [`place = t.place - ${DEFERRED}`],
        found,
        `t.id = r.id AND t.place > ${DEFERRED}`,
      ),
      parameters: [parameter],
    });
    const queues = distinct(rows.map(queueOf));
    return { queues, last: rows.length < SETTLED_AT_ONCE ? null : queues.at(-1)!.keyHash };
  }

  /**
   * Settles what bulk operations have deferred that were stopped, or whose process died: it is no longer changed. Called in
   * each round, once a minute.
   */
  async settleAbandoned(): Promise<void> {
    const { rows } = await this.database.run({
      sql: `SELECT subscriber_id, COUNT(*) AS count FROM ${this.tables.deliveries} WHERE key_hash IS NOT NULL AND place > ${DEFERRED} GROUP BY subscriber_id`,
      parameters: [],
    });
    const before = this.#deferred;
    this.#deferred = new Map();
    for (const row of rows) {
      const [subscriberId, count] = [row['subscriber_id'] as string, Number(row['count'])];
      const known = before.get(subscriberId);
      const rounds = known?.count === count ? known.rounds + 1 : 0;
      if (rounds < ROUNDS_AT_REST) this.#deferred.set(subscriberId, { count, rounds });
      else await this.#settleAll(subscriberId);
    }
  }

  async #settleAll(subscriberId: string): Promise<void> {
    let after: string | null = null;
    do ({ last: after } = await this.settle(subscriberId, after));
    while (after !== null);
  }

  /** Ends the holds of deliveries: a worker claims them, and the next one gets its turn. */
  async endHolds(ids: readonly string[], now: number): Promise<void> {
    if (ids.length === 0) return;
    const { rows, parameter } = idRows(
      this.#dialect,
      ids.map((id) => keyOf('dlv_', id)),
    );
    const sql = this.#dialect.updateFrom(
      this.tables.deliveries,
      ['due_at = ?'],
      rows,
      "t.id = r.id AND t.status = 'failed' AND t.due_at IS NOT NULL AND t.lease IS NULL",
    );
    const isMysql = this.#dialect.name === 'mysql';
    await this.database.run({ sql, parameters: isMysql ? [parameter, now] : [now, parameter] });
  }

  /** Makes deliveries due that wait for their turn, in no order. @returns the count; call again if `limit` */
  async dissolve(subscriberId: string, now: number, limit: number): Promise<number> {
    const { deliveries } = this.tables;
    const [waiting] = await this.database.execute([
      {
        sql: `SELECT id FROM ${deliveries} WHERE subscriber_id = ? AND due_at = ${NOT_DUE} AND place > 0 AND lease IS NULL LIMIT ${limit} ${this.#dialect.skipLocked}`,
        parameters: [keyOf('sub_', subscriberId)],
      },
      ([found]) => {
        const ids = found!.rows.map(({ id }) => id);
        if (ids.length === 0) return null;
        return {
          sql: `UPDATE ${deliveries} SET due_at = ?, key_hash = NULL, place = NULL WHERE lease IS NULL AND place > 0 AND id IN (${ids.map(() => '?').join(', ')})`,
          parameters: [now, ...ids],
        };
      },
    ]);
    return waiting!.rows.length;
  }
}

/** Queues without repetitions; equal ones are next to each other. */
function distinct(queues: readonly KeyQueue[]): readonly KeyQueue[] {
  return queues.filter((one, at) => !isSame(one, queues[at - 1]));
}

function isSame(one: KeyQueue, other: KeyQueue | undefined): boolean {
  return one.keyHash === other?.keyHash && one.subscriberId === other.subscriberId;
}
