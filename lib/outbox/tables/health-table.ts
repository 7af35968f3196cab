import { randomUUID } from 'node:crypto';
import { type HealthState, WELL } from '../../subscriber/index.js';
import {
  type Columns,
  idRows,
  type Select,
  select,
  type Statement,
  type Write,
  write,
} from '../../database/dialect.js';
import { kindsOf, type NewRowOf, type RowOf } from '../../database/schema/table-definition.js';
import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import type { Step } from '../../database/sql-client.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { TableNames, Target } from './table-names.js';

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

type HealthRow = RowOf<typeof OUTBOX_TABLES.health>;

/** The new values of a row, and the token that it had; null if there was no row. */
type Change = NewRowOf<typeof OUTBOX_TABLES.health> & { readonly token_before: string | null };

const ROW: Columns = kindsOf(OUTBOX_TABLES.health, [
  'subscriber_id',
  'failing_since',
  'failing_messages',
  'announced',
  'token',
]);
const CHANGED: Columns = { ...ROW, token_before: 'text' };
const GONE: Columns = { subscriber_id: 'text', token_before: 'text' };

/** The rows of subscribers, as far as they exist. Index: the primary key. */
export function selectHealth(
  { dialect, tables }: Target,
  subscribers: readonly string[],
): Select<HealthRow> {
  const { rows, parameter } = idRows(dialect, subscribers, 'text');
  return select(
    `SELECT h.* FROM ${rows} ${dialect.join} ${tables.health} h ON h.subscriber_id = r.id`,
    [parameter],
  );
}

/** The subscribers that have failed for the longest time. Index: none, since only failing subscribers have a row. */
export function selectFailing(
  { tables }: Target,
  limit: number,
): Select<Pick<HealthRow, 'subscriber_id' | 'failing_since' | 'failing_messages'>> {
  return select(
    `SELECT h.subscriber_id, h.failing_since, h.failing_messages FROM ${tables.health} h ORDER BY h.failing_since LIMIT ?`,
    [limit],
  );
}

/** Counts the failing subscribers. Index: none, as for {@link selectFailing}. @param most the count ends there */
export function countFailing(
  { tables }: Target,
  most: number,
): Select<{ readonly amount: number | string }> {
  return select(
    `SELECT COUNT(*) AS amount FROM (SELECT 1 AS one FROM ${tables.health} h LIMIT ?) w`,
    [most],
  );
}

/** Adds subscribers that begin to fail. Index: the primary key. */
export function insertFailing({ dialect, tables }: Target, rows: readonly Change[]): Write {
  const values = `SELECT r.subscriber_id, r.failing_since, r.failing_messages, r.announced, r.token FROM ${dialect.rows('r', ROW)} WHERE 1 = 1`;
  return write(dialect.insertNew(tables.health, Object.keys(ROW), values), [
    dialect.rowsParameter(ROW, rows),
  ]);
}

/** Changes subscribers that fail further, unless another process has. Index: the primary key. */
export function updateFailing({ dialect, tables }: Target, rows: readonly Change[]): Write {
  return write(
    dialect.updateFrom(
      tables.health,
      [
        'failing_since = r.failing_since',
        'failing_messages = r.failing_messages',
        'announced = r.announced',
        'token = r.token',
      ],
      dialect.rows('r', CHANGED),
      't.subscriber_id = r.subscriber_id AND t.token = r.token_before',
    ),
    [dialect.rowsParameter(CHANGED, rows)],
  );
}

/** Removes subscribers that are well again, unless another process has changed them. Index: the primary key. */
export function deleteWell(
  { dialect, tables }: Target,
  rows: readonly Pick<Change, 'subscriber_id' | 'token_before'>[],
): Write {
  return write(
    dialect.deleteFrom(
      tables.health,
      dialect.rows('r', GONE),
      't.subscriber_id = r.subscriber_id AND t.token = r.token_before',
    ),
    [dialect.rowsParameter(GONE, rows)],
  );
}

/** Reads and writes the health of subscribers in one database, in sets. */
export class HealthTable {
  readonly #target: Target;

  constructor(
    private readonly database: SqlStore,
    tables: TableNames,
  ) {
    this.#target = { dialect: database.dialect, tables };
  }

  /** Reads the rows of the subscribers, as far as they exist. */
  async read(subscribers: readonly string[]): Promise<ReadonlyMap<string, StoredHealth>> {
    const { rows } = await this.database.run(selectHealth(this.#target, subscribers));
    return new Map(
      rows.map((row) => [
        row.subscriber_id,
        {
          health: {
            failingSince: Number(row.failing_since),
            failingMessages: Number(row.failing_messages),
            announced: Number(row.announced),
          },
          token: row.token,
        },
      ]),
    );
  }

  /** Reads the subscribers that have failed for the longest time. */
  async failing(limit: number): Promise<readonly FailingSubscriber[]> {
    const { rows } = await this.database.run(selectFailing(this.#target, limit));
    return rows.map((row) => ({
      subscriberId: row.subscriber_id,
      failingSince: Number(row.failing_since),
      failingMessages: Number(row.failing_messages),
    }));
  }

  /** Counts the failing subscribers. @param most the count ends there */
  async countFailing(most: number): Promise<number> {
    const { rows } = await this.database.run(countFailing(this.#target, most));
    return Number(rows[0]!.amount);
  }

  /** Writes the changes. @returns the subscribers whose change was written; another process has changed the others */
  async write(changes: readonly HealthChange[]): Promise<ReadonlySet<string>> {
    const rows = rowsOf(changes);
    const failing = rows.filter((row): row is Change => row.failing_since !== null);
    const fresh = failing.filter(({ token_before: before }) => before === null);
    const further = failing.filter(({ token_before: before }) => before !== null);
    const well = rows.filter((row) => row.failing_since === null);
    const statements = [
      ...(fresh.length === 0 ? [] : [insertFailing(this.#target, fresh)]),
      ...(further.length === 0 ? [] : [updateFailing(this.#target, further)]),
      ...(well.length === 0 ? [] : [deleteWell(this.#target, well)]),
      selectHealth(
        this.#target,
        changes.map(({ subscriber }) => subscriber),
      ),
    ];
    const found = new Map(
      (await this.database.execute(statements))
        .at(-1)!
        .rows.map((row) => [row['subscriber_id'], row['token']]),
    );
    const isWritten = (row: (typeof rows)[number]) =>
      row.failing_since === null
        ? !found.has(row.subscriber_id)
        : found.get(row.subscriber_id) === row.token;
    return new Set(rows.filter(isWritten).map((row) => row.subscriber_id));
  }

  /**
   * Writes one change, and in the same transaction what is to be told of it.
   *
   * @param told none for nothing
   * @returns whether it was this call that wrote the change: of several processes, one
   */
  async writeOne(change: HealthChange, told: readonly Statement[]): Promise<boolean> {
    const [row] = rowsOf([change]);
    let isWritten = false;
    const note = (wrote: boolean) => {
      isWritten = wrote;
      return null;
    };
    const steps: readonly Step[] =
      row!.failing_since === null
        ? [deleteWell(this.#target, [row!]), ([gone]) => note(gone!.affected > 0)]
        : [
            (row!.token_before === null ? insertFailing : updateFailing)(this.#target, [
              row as Change,
            ]),
            selectHealth(this.#target, [row!.subscriber_id]),
            ([, found]) => note(found!.rows[0]?.['token'] === row!.token),
          ];
    await this.database.execute([
      ...steps,
      ...told.map((statement) => () => (isWritten ? statement : null)),
    ]);
    return isWritten;
  }
}

/** The rows of changes, each with the token of this write. */
function rowsOf(changes: readonly HealthChange[]) {
  const token: string = randomUUID();
  return changes.map(({ subscriber, before, after }) => ({
    subscriber_id: subscriber,
    failing_since: after.failingSince,
    failing_messages: after.failingMessages,
    announced: after.announced,
    token,
    token_before: before.token,
  }));
}
