import { randomUUID } from 'node:crypto';
import { type HealthState, WELL } from '../../subscriber/index.js';
import { type Columns, idRows, type Statement } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { TableNames } from './table-names.js';

/** A subscriber's health as read from the table. */
export interface StoredHealth {
  readonly health: HealthState;
  /** Null when the table has no row for the subscriber. */
  readonly token: string | null;
}

/** A subscriber whose endpoint has only failed for a while. */
export interface FailingSubscriber {
  readonly subscriberId: string;
  /** Milliseconds since the Unix epoch. */
  readonly failingSince: number;
  /** Messages that have failed since then. */
  readonly failingMessages: number;
}

/** A change of a subscriber's health, applied only if the row has not changed since it was read. */
export interface HealthChange {
  readonly subscriber: string;
  readonly before: StoredHealth;
  readonly after: HealthState;
}

/** The health of a subscriber without a row. */
export const NO_ROW: StoredHealth = { health: WELL, token: null };

const ROW: Columns = {
  subscriber_id: 'text',
  failing_since: 'bigint',
  failing_messages: 'int',
  token: 'text',
};
const CHANGED: Columns = { ...ROW, token_before: 'text' };
const GONE: Columns = { id: 'text', token: 'text' };

/** The SQL on `thorn_health`, in sets of rows. */
export class HealthTable {
  readonly #table: string;

  constructor(
    private readonly database: SqlStore,
    { health }: TableNames,
  ) {
    this.#table = health;
  }

  /** Reads the rows of the subscribers, as far as they exist. */
  async read(subscribers: readonly string[]): Promise<ReadonlyMap<string, StoredHealth>> {
    const { rows } = await this.database.run(this.#selection(subscribers));
    return new Map(
      rows.map((row) => [
        row['subscriber_id'] as string,
        {
          health: {
            failingSince: Number(row['failing_since']),
            failingMessages: Number(row['failing_messages']),
          },
          token: row['token'] as string,
        },
      ]),
    );
  }

  /** Reads the subscribers that have failed for the longest time. */
  async failing(limit: number): Promise<readonly FailingSubscriber[]> {
    const { rows } = await this.database.run({
      sql: `SELECT h.subscriber_id, h.failing_since, h.failing_messages FROM ${this.#table} h ORDER BY h.failing_since LIMIT ?`,
      parameters: [limit],
    });
    return rows.map((row) => ({
      subscriberId: row['subscriber_id'] as string,
      failingSince: Number(row['failing_since']),
      failingMessages: Number(row['failing_messages']),
    }));
  }

  /** Counts the failing subscribers. @param most the count ends there */
  async countFailing(most: number): Promise<number> {
    const { rows } = await this.database.run({
      sql: `SELECT COUNT(*) AS amount FROM (SELECT 1 AS one FROM ${this.#table} h LIMIT ?) w`,
      parameters: [most],
    });
    return Number(rows[0]!['amount']);
  }

  /** Writes the changes. @returns the subscribers whose change was written; another process has changed the others */
  async write(changes: readonly HealthChange[]): Promise<ReadonlySet<string>> {
    const { dialect } = this.database;
    const token = randomUUID();
    const rows = changes.map(({ subscriber, before, after }) => ({
      id: subscriber,
      subscriber_id: subscriber,
      failing_since: after.failingSince,
      failing_messages: after.failingMessages,
      token,
      token_before: before.token,
    }));
    const failing = rows.filter((row) => row.failing_since !== null);
    const well = rows.filter((row) => row.failing_since === null);
    const statement = (sql: string, columns: Columns, set: readonly object[]): Statement[] =>
      set.length === 0 ? [] : [{ sql, parameters: [dialect.rowsParameter(columns, set)] }];
    const statements = [
      ...statement(
        dialect.insertNew(
          this.#table,
          Object.keys(ROW),
          `SELECT r.subscriber_id, r.failing_since, r.failing_messages, r.token FROM ${dialect.rows('r', ROW)} WHERE 1 = 1`,
        ),
        ROW,
        failing.filter(({ token_before: before }) => before === null),
      ),
      ...statement(
        dialect.updateFrom(
          this.#table,
          [
            'failing_since = r.failing_since',
            'failing_messages = r.failing_messages',
            'token = r.token',
          ],
          dialect.rows('r', CHANGED),
          't.subscriber_id = r.subscriber_id AND t.token = r.token_before',
        ),
        CHANGED,
        failing.filter(({ token_before: before }) => before !== null),
      ),
      ...this.#deletion(well.map(({ id, token_before: token }) => ({ id, token }))),
      this.#selection(changes.map(({ subscriber }) => subscriber)),
    ];
    const found = new Map(
      (await this.database.execute(statements))
        .at(-1)!
        .rows.map((row) => [row['subscriber_id'], row['token']]),
    );
    const isWritten = (row: (typeof rows)[number]) =>
      row.failing_since === null ? !found.has(row.id) : found.get(row.id) === token;
    return new Set(rows.filter(isWritten).map(({ id }) => id));
  }

  #selection(subscribers: readonly string[]): Statement {
    const { dialect } = this.database;
    const { rows, parameter } = idRows(dialect, subscribers, 'text');
    return {
      sql: `SELECT h.* FROM ${rows} ${dialect.join} ${this.#table} h ON h.subscriber_id = r.id`,
      parameters: [parameter],
    };
  }

  #deletion(rows: readonly object[]): Statement[] {
    if (rows.length === 0) return [];
    const { dialect } = this.database;
    return [
      {
        sql: dialect.deleteFrom(
          this.#table,
          dialect.rows('r', GONE),
          't.subscriber_id = r.id AND t.token = r.token',
        ),
        parameters: [dialect.rowsParameter(GONE, rows)],
      },
    ];
  }
}
