import { setImmediate } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import type { Message } from '../../message/index.js';
import { type Dialect, idRows, type Statement, type Columns } from '../database/dialect.js';
import { isOfMessages, keyOf, pairOf, rangesOf, withMessageId } from './keys.js';
import { type Lease, Leases, type NewLease } from './leases.js';
import type { MessageCursor } from './message-cursor.js';
import { MESSAGE_COLUMNS, type MessageRowMapper, messageSelection } from './message-row-mapper.js';
import type { TableNames } from '../entities/table-names.js';
import type { OutboxDatabase, Row } from '../database/outbox-database.js';

// Aliases of their own, because SQLite returns columns without their table's name.
const HELD: Columns = { held_id: 'uuid', held_by: 'text' };

// Well below the parameter limits of all drivers: 32,766 on SQLite, 65,535 on the others.
const ROWS_PER_INSERT = 1000;
// Well below the default statement size of MySQL and MariaDB: 64 and 16 MiB.
const BYTES_PER_INSERT = 4 * 1024 * 1024;

/** The result of an INSERT of messages. */
export interface Inserted extends NewLease {
  /** Ids that existed before: nothing was written for them. */
  readonly known: ReadonlySet<string>;
}

const TUPLE = `(${MESSAGE_COLUMNS.map(() => '?').join(', ')})`;

/** The SQL on `thorn_messages`. */
export class MessageTable {
  readonly #dialect: Dialect;
  readonly #leases: Leases;

  constructor(
    private readonly database: OutboxDatabase,
    private readonly tables: TableNames,
    private readonly rows: MessageRowMapper,
  ) {
    this.#dialect = database.dialect;
    this.#leases = new Leases(database, tables.messages, 'msg_');
  }

  /** Returns one INSERT per 1,000 messages or 4 MiB; messages whose id exists are left out. */
  insertions(messages: readonly Message[], lease: NewLease): Statement[] {
    return chunksOf(messages).map((chunk) => this.#insertion(chunk, lease));
  }

  #insertion(chunk: readonly Message[], { token, leasedUntil }: NewLease): Statement {
    const { messages: table } = this.tables;
    const tuples = chunk.map(() => TUPLE).join(', ');
    const end = this.#dialect.skipKnown(table);
    return {
      sql: `INSERT INTO ${table} (${MESSAGE_COLUMNS.join(', ')}) VALUES ${tuples} ${end}`,
      parameters: chunk.flatMap((message) => this.rows.valuesOf(message, token, leasedUntil)),
    };
  }

  /** Writes messages in the transaction of `manager`, or else in a new transaction. */
  async insertWith(
    manager: EntityManager,
    messages: readonly Message[],
    lease: NewLease,
  ): Promise<Inserted> {
    const known = new Set<string>();
    for (const [index, chunk] of chunksOf(messages).entries()) {
      // SQLite answers without yielding to the event loop.
      if (index > 0) await setImmediate();
      const ids = chunk.map(({ id }) => id);
      const rows = await this.#insert(manager, this.#insertion(chunk, lease), ids);
      const written = new Set(
        rows.filter((row) => row['lease'] === lease.token).map(({ id }) => id),
      );
      for (const id of ids) if (!written.has(keyOf('msg_', id))) known.add(id);
    }
    return { ...lease, known };
  }

  /** @returns keys and leases of rows, including the rows just written */
  async #insert(
    manager: EntityManager,
    insertion: Statement,
    ids: readonly string[],
  ): Promise<readonly Row[]> {
    // save() and insert() are several times slower, and their hooks would capture these rows.
    const run = ({ sql, parameters }: Statement): Promise<readonly Row[]> =>
      manager.query(this.#dialect.placeholders(sql), parameters as unknown[]);
    if (this.#dialect.insertReturns) return run(insertion);
    // MySQL's count of affected rows depends on connection flags, so the tokens are read back.
    const written = this.#holders(ids);
    if (manager.queryRunner?.isTransactionActive !== true) {
      // Between two transactions a worker could claim the rows.
      return (await this.database.execute([insertion, written]))[1]!.rows;
    }
    await run(insertion);
    return run(written);
  }

  #holders(ids: readonly string[]): Statement {
    return {
      sql: `SELECT id, lease FROM ${this.tables.messages} WHERE id IN (${ids.map(() => '?').join(', ')})`,
      parameters: ids.map((id) => keyOf('msg_', id)),
    };
  }

  /** Returns the ids that are stored. */
  async stored(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#found(ids, 'm.id, m.given_id');
    return new Set(found.map(({ id }) => id as string));
  }

  /** Reads the rows of messages. */
  load(ids: readonly string[]): Promise<readonly Row[]> {
    return this.#found(ids, messageSelection(this.#dialect, 'm.'));
  }

  async #found(ids: readonly string[], columns: string): Promise<readonly Row[]> {
    const keys = ids.map((id) => keyOf('msg_', id));
    const { rows, parameter } = idRows(this.#dialect, keys);
    const result = await this.database.run({
      sql: `SELECT ${columns} FROM ${rows} ${this.#dialect.join} ${this.tables.messages} m ON m.id = r.id`,
      parameters: [parameter],
    });
    return result.rows.map(withMessageId);
  }

  /** Claims due messages that are not held, or whose lease has expired. Other processes cannot claim the same rows. */
  async claim(token: string, now: number, until: number, limit: number): Promise<readonly Row[]> {
    const { messages } = this.tables;
    const { returns, skipLocked } = this.#dialect;
    const due = (columns: string) =>
      `SELECT ${columns} FROM ${messages} WHERE due_at <= ? ORDER BY due_at LIMIT ${limit} ${skipLocked}`;
    const selection = messageSelection(this.#dialect);
    if (!returns) {
      const claimed = await this.#leases.claim(
        { sql: due(selection), parameters: [now] },
        token,
        until,
      );
      return claimed.map(withMessageId);
    }
    const { rows } = await this.database.run({
      sql: `WITH picked AS (${due('id')}) UPDATE ${messages} SET lease = ?, due_at = ? WHERE id IN (SELECT id FROM picked) RETURNING ${selection}`,
      parameters: [now, token, until],
    });
    return rows.map(withMessageId);
  }

  /**
   * Takes messages over from other holders, as long as each row still carries the given token.
   *
   * @param token the token of the new holder
   * @returns the rows that were taken over
   */
  async takeOver(held: readonly Lease[], token: string, until: number): Promise<readonly Row[]> {
    const { messages } = this.tables;
    const rows = this.#dialect.rows('r', HELD);
    const json = this.#dialect.rowsParameter(
      HELD,
      held.map((one) => ({ held_id: keyOf('msg_', one.id), held_by: one.token })),
    );
    const update = this.#dialect.updateFrom(
      messages,
      ['lease = ?', 'due_at = ?'],
      rows,
      't.id = r.held_id AND t.lease = r.held_by',
    );
    if (this.#dialect.returns) {
      const { rows: taken } = await this.database.run({
        sql: `${update} RETURNING ${messageSelection(this.#dialect)}`,
        parameters: [token, until, json],
      });
      return taken.map(withMessageId);
    }
    const results = await this.database.execute([
      // MySQL takes the row source before SET, so the parameters swap.
      { sql: update, parameters: [json, token, until] },
      {
        sql: `SELECT ${messageSelection(this.#dialect, 't.')} FROM ${rows} ${this.#dialect.join} ${messages} t ON t.id = r.held_id AND t.lease = ?`,
        parameters: [json, token],
      },
    ]);
    return results[1]!.rows.map(withMessageId);
  }

  /** Returns the subscribers that have a delivery, by message. */
  async handled(
    messages: readonly MessageCursor[],
  ): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const results = await this.database.execute(
      rangesOf(messages).map((set) => {
        const { sql, parameters } = isOfMessages(set);
        return {
          sql: `SELECT d.message_id, d.subscriber_id, d.given_message_id, d.given_subscriber_id FROM ${this.tables.deliveries} d WHERE ${sql}`,
          parameters,
        };
      }),
    );
    const handled = new Map<string, Set<string>>();
    for (const row of results.flatMap(({ rows }) => rows)) {
      const { messageId, subscriberId } = pairOf(row);
      const set = handled.get(messageId) ?? new Set();
      handled.set(messageId, set.add(subscriberId));
    }
    return handled;
  }

  /** See {@link Leases.renew}. */
  renew(held: readonly Lease[], until: number): Promise<readonly Lease[]> {
    return this.#leases.renew(held, until);
  }

  /** See {@link Leases.release}. */
  release(held: readonly Lease[], dueAt: number): Promise<void> {
    return this.#leases.release(held, dueAt);
  }

  /** See {@link Leases.remove}. */
  remove(held: readonly Lease[]): Promise<void> {
    return this.#leases.remove(held);
  }
}

function chunksOf(messages: readonly Message[]): readonly Message[][] {
  const chunks: Message[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const size = message.json.length;
    if (bytes + size > BYTES_PER_INSERT || chunks.at(-1)!.length === ROWS_PER_INSERT) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)!.push(message);
    bytes += size;
  }
  return chunks;
}
