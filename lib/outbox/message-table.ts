import type { EntityManager } from 'typeorm';
import type { Message } from '../message/index.js';
import { type Columns, type Dialect, type Statement } from './dialect.js';
import { MESSAGE_COLUMNS, messageValues } from './message-row.js';
import type { OutboxDatabase, Row } from './outbox-database.js';
import type { TableNames } from './tables.js';

/** Holding a message or a delivery: its id, and the token that the holder has written to the row. */
export interface Held {
  readonly id: string;
  readonly lease: string;
}

// Far below the limits on parameters of all drivers: 32,766 on SQLite, 65,535 on the others.
const ROWS_PER_INSERT = 1000;
export const ID: Columns = { id: 'text' };
const HELD: Columns = { id: 'text', lease: 'text' };

/** The SQL on `thorn_messages`. */
export class MessageTable {
  readonly #database: OutboxDatabase;
  readonly #dialect: Dialect;
  readonly #tables: TableNames;

  constructor(database: OutboxDatabase, tables: TableNames) {
    this.#database = database;
    this.#dialect = database.dialect;
    this.#tables = tables;
  }

  /** One INSERT for each 1,000 messages; a message whose id is there already is left out. */
  insertions(messages: readonly Message[], lease: string, dueAt: number): Statement[] {
    const statements: Statement[] = [];
    const tuple = `(${MESSAGE_COLUMNS.map(() => '?').join(', ')})`;
    const { messages: table } = this.#tables;
    const end =
      this.#dialect.name === 'mysql'
        ? `ON DUPLICATE KEY UPDATE id = ${table}.id`
        : 'ON CONFLICT (id) DO NOTHING RETURNING id';
    for (let at = 0; at < messages.length; at += ROWS_PER_INSERT) {
      const chunk = messages.slice(at, at + ROWS_PER_INSERT);
      statements.push({
        sql: `INSERT INTO ${table} (${MESSAGE_COLUMNS.join(', ')}) VALUES ${chunk.map(() => tuple).join(', ')} ${end}`,
        parameters: chunk.flatMap((message) => messageValues(message, lease, dueAt)),
      });
    }
    return statements;
  }

  /**
   * Writes messages in the transaction of `manager`.
   *
   * @returns ids that were there before: nothing was written for them
   */
  async insertWith(
    manager: EntityManager,
    messages: readonly Message[],
    lease: string,
    dueAt: number,
  ): Promise<ReadonlySet<string>> {
    const known = new Set<string>();
    for (const { sql, parameters } of this.insertions(messages, lease, dueAt)) {
      // Not save() or insert(): several times slower, and their hooks would capture our own rows.
      const answer: unknown = await manager.query(
        this.#dialect.placeholders(sql),
        parameters as unknown[],
      );
      const ids = parameters.filter((_, at) => at % MESSAGE_COLUMNS.length === 0) as string[];
      for (const id of await this.#known(ids, answer, lease, manager)) known.add(id);
    }
    return known;
  }

  /** Which of the messages have a row that this process has not written. MySQL alone needs a query for it. */
  async #known(
    ids: readonly string[],
    answer: unknown,
    lease: string,
    manager: EntityManager,
  ): Promise<readonly string[]> {
    if (this.#dialect.returns) {
      const rows = answer as readonly Row[];
      if (rows.length === ids.length) return [];
      const written = new Set(rows.map(({ id }) => id));
      return ids.filter((id) => !written.has(id));
    }
    if ((answer as { readonly affectedRows: number }).affectedRows === ids.length) return [];
    const rows: readonly Row[] = await manager.query(
      `SELECT id FROM ${this.#tables.messages} WHERE id IN (${ids.map(() => '?').join(', ')}) AND (lease IS NULL OR lease <> ?)`,
      [...ids, lease],
    );
    return rows.map(({ id }) => id as string);
  }

  /** Those of the messages that are stored. */
  async stored(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = this.#dialect.rows('r', ID);
    const { rows: found } = await this.#database.run({
      sql: `SELECT m.id FROM ${rows} JOIN ${this.#tables.messages} m ON m.id = r.id`,
      parameters: [
        this.#dialect.rowsParameter(
          ID,
          ids.map((id) => ({ id })),
        ),
      ],
    });
    return new Set(found.map(({ id }) => id as string));
  }

  /** The rows of messages. */
  async load(ids: readonly string[]): Promise<readonly Row[]> {
    const rows = this.#dialect.rows('r', ID);
    const { rows: found } = await this.#database.run({
      sql: `SELECT m.* FROM ${rows} JOIN ${this.#tables.messages} m ON m.id = r.id`,
      parameters: [
        this.#dialect.rowsParameter(
          ID,
          ids.map((id) => ({ id })),
        ),
      ],
    });
    return found;
  }

  /** Takes messages that nobody holds, or whose holder's time is up. No other process gets the same ones. */
  async claim(lease: string, now: number, until: number, limit: number): Promise<readonly Row[]> {
    const { messages } = this.#tables;
    const due = `SELECT id FROM ${messages} WHERE due_at <= ? ORDER BY due_at LIMIT ${limit}`;
    if (this.#dialect.returns) {
      const { rows } = await this.#database.run({
        sql: `WITH picked AS (${due} ${this.#dialect.skipLocked}) UPDATE ${messages} SET lease = ?, due_at = ? WHERE id IN (SELECT id FROM picked) RETURNING ${MESSAGE_COLUMNS.join(', ')}`,
        parameters: [now, lease, until],
      });
      return rows;
    }
    const { rows: picked } = await this.#database.run({ sql: due, parameters: [now] });
    if (picked.length === 0) return [];
    const ids = this.#dialect.rowsParameter(
      ID,
      picked.map(({ id }) => ({ id })),
    );
    const rows = this.#dialect.rows('r', ID);
    const results = await this.#database.execute([
      {
        sql: this.#dialect.updateFrom(
          messages,
          ['lease = ?', 'due_at = ?'],
          rows,
          't.id = r.id AND t.due_at <= ?',
        ),
        // The source of the rows comes before SET there.
        parameters: [ids, now, lease, until],
      },
      {
        sql: `SELECT t.* FROM ${rows} JOIN ${messages} t ON t.id = r.id AND t.lease = ?`,
        parameters: [ids, lease],
      },
    ]);
    return results[1]!.rows;
  }

  /** Which subscribers have a delivery of each message. */
  async handled(ids: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const rows = this.#dialect.rows('r', ID);
    const { rows: found } = await this.#database.run({
      sql: `SELECT d.message_id, d.subscriber_id FROM ${rows} JOIN ${this.#tables.deliveries} d ON d.message_id = r.id`,
      parameters: [
        this.#dialect.rowsParameter(
          ID,
          ids.map((id) => ({ id })),
        ),
      ],
    });
    const handled = new Map<string, Set<string>>();
    for (const { message_id: id, subscriber_id: subscriber } of found) {
      const set = handled.get(id as string) ?? new Set();
      handled.set(id as string, set.add(subscriber as string));
    }
    return handled;
  }

  /** Puts off the end of leases. @returns those of `held` that are still held */
  async renew(held: readonly Held[], until: number): Promise<readonly Held[]> {
    return renewed(this.#database, this.#tables.messages, held, until);
  }

  /** Lets go of messages, so that they can be taken at `dueAt`. */
  async release(held: readonly Held[], dueAt: number): Promise<void> {
    await this.#database.run(released(this.#dialect, this.#tables.messages, held, dueAt));
  }

  /** Removes messages that are still held. */
  async remove(held: readonly Held[]): Promise<void> {
    const rows = this.#dialect.rows('r', HELD);
    const json = this.#dialect.rowsParameter(HELD, held);
    await this.#database.run({
      sql: `DELETE FROM ${this.#tables.messages} WHERE id IN (SELECT r.id FROM ${rows}) AND lease IN (SELECT r.lease FROM ${rows})`,
      parameters: [json, json],
    });
  }
}

/** The update that lets go of rows that are still held. */
export function released(
  dialect: Dialect,
  table: string,
  held: readonly Held[],
  dueAt: number,
): Statement {
  const rows = dialect.rowsParameter(HELD, held);
  return {
    sql: dialect.updateFrom(
      table,
      ['lease = NULL', 'due_at = ?'],
      dialect.rows('r', HELD),
      't.id = r.id AND t.lease = r.lease',
    ),
    parameters: dialect.name === 'mysql' ? [rows, dueAt] : [dueAt, rows],
  };
}

/** Puts off the end of leases on a table. @returns those that are still held */
export async function renewed(
  database: OutboxDatabase,
  table: string,
  held: readonly Held[],
  until: number,
): Promise<readonly Held[]> {
  const { dialect } = database;
  const rows = dialect.rows('r', HELD);
  const matching = 't.id = r.id AND t.lease = r.lease';
  const json = dialect.rowsParameter(HELD, held);

  const results = await database.execute([
    {
      sql: dialect.updateFrom(table, ['due_at = ?'], rows, matching),
      parameters: dialect.name === 'mysql' ? [json, until] : [until, json],
    },
    { sql: `SELECT r.id, r.lease FROM ${rows} JOIN ${table} t ON ${matching}`, parameters: [json] },
  ]);
  return results[1]!.rows as unknown as readonly Held[];
}
