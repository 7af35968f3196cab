import {
  type Columns,
  type Dialect,
  type Select,
  select,
  type Write,
  write,
} from '../../database/dialect.js';
import type { IdPrefix } from '../../common/id.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Result, Row } from '../../database/sql-client.js';
import { keyOf } from './keys.js';

/** The lease of a message or a delivery: its id, and the token that the holder has written to the row. */
export interface Lease {
  readonly id: string;
  readonly token: string;
}

/** A lease to write to new rows. */
export interface NewLease {
  /** A token that only this call uses. */
  readonly token: string;
  /** Milliseconds since the Unix epoch. */
  readonly leasedUntil: number;
}

/** A table whose rows are leased. */
export interface LeasedTable {
  readonly dialect: Dialect;
  /** The quoted name of the table. */
  readonly table: string;
  /** The prefix of the ids that the keys of its rows stand for. */
  readonly prefix: IdPrefix;
}

/** The columns of a leased row and its lease. */
export const HELD: Columns = { id: 'uuid', lease: 'text' };
const PUT_OFF: Columns = { ...HELD, due_at: 'bigint' };
/** A condition on a row `t`: the lease of the row `r` still holds it. */
export const IS_HELD = 't.id = r.id AND t.lease = r.lease';

// The statements on the leases of `thorn_pending_messages` and of `thorn_deliveries`, which have the same columns for them.

/** Leases rows that a query has picked and locked. Index: the primary key. */
export function leasePicked(
  { table }: LeasedTable,
  ids: readonly string[],
  { token, leasedUntil }: NewLease,
): Write {
  return write(
    `UPDATE ${table} SET lease = ?, due_at = ? WHERE id IN (${ids.map(() => '?').join(', ')})`,
    [token, leasedUntil, ...ids],
  );
}

/** Puts the end of leases off. Index: the primary key. @param isReleased true: they end, and the rows are due then */
export function putOff(
  target: LeasedTable,
  held: readonly Lease[],
  dueAt: number,
  isReleased: boolean,
): Write {
  const { dialect, table } = target;
  const rows = keysOf(target, held).map((row) => ({ ...row, due_at: dueAt }));
  return write(
    dialect.updateFrom(
      table,
      [...(isReleased ? ['lease = NULL'] : []), 'due_at = r.due_at'],
      dialect.rows('r', PUT_OFF),
      IS_HELD,
    ),
    [dialect.rowsParameter(PUT_OFF, rows)],
  );
}

/** The leases that are still held. Index: the primary key. */
export function selectHeld(
  target: LeasedTable,
  held: readonly Lease[],
): Select<{ readonly id: string; readonly lease: string }> {
  const { dialect, table } = target;
  return select(
    `SELECT r.id, r.lease FROM ${dialect.rows('r', HELD)} ${dialect.join} ${table} t ON ${IS_HELD}`,
    [dialect.rowsParameter(HELD, keysOf(target, held))],
  );
}

/** Deletes the rows that are held. Index: the primary key. */
export function deleteHeld(target: LeasedTable, held: readonly Lease[]): Write {
  const { dialect, table } = target;
  return write(dialect.deleteFrom(table, dialect.rows('r', HELD), IS_HELD), [
    dialect.rowsParameter(HELD, keysOf(target, held)),
  ]);
}

/** Deletes the rows of another table that have the ids of rows that are held. Index: the primary keys. */
export function deleteWithHeld(target: LeasedTable, other: string, held: readonly Lease[]): Write {
  const { dialect, table } = target;
  const isHeld = `t.id = r.id AND EXISTS (SELECT 1 FROM ${table} h WHERE h.id = r.id AND h.lease = r.lease)`;
  return write(dialect.deleteFrom(other, dialect.rows('r', HELD), isHeld), [
    dialect.rowsParameter(HELD, keysOf(target, held)),
  ]);
}

function keysOf({ prefix }: LeasedTable, held: readonly Lease[]) {
  return held.map(({ id, token }) => ({ id: keyOf(prefix, id), lease: token }));
}

/** The leases on the rows of one table: a process claims rows, renews its leases, and releases the rows. */
export class Leases {
  readonly #table: LeasedTable;

  /**
   * @param table the quoted name of the table
   * @param prefix of the ids that its keys stand for
   */
  constructor(
    private readonly database: SqlStore,
    table: string,
    prefix: IdPrefix,
  ) {
    this.#table = { dialect: database.dialect, table, prefix };
  }

  /**
   * Claims rows on databases whose UPDATE cannot return rows. The rows stay locked until they carry the token, and
   * other processes skip locked rows.
   *
   * @param pick selects the rows to claim, and locks them
   */
  claim<Picked extends { readonly id: string }>(
    pick: Select<Picked>,
    lease: NewLease,
  ): Promise<readonly Picked[]> {
    return this.change(pick, (ids) => leasePicked(this.#table, ids, lease));
  }

  /**
   * Changes the rows that a query picks.
   *
   * @param update makes the statement. Its condition is asked again: MariaDB may have let others change a row since it was picked
   * @returns the rows that were picked
   */
  async change<Picked extends { readonly id: string }>(
    pick: Select<Picked>,
    update: (ids: readonly string[]) => Write,
  ): Promise<readonly Picked[]> {
    const [picked] = await this.database.execute([
      pick,
      ([found]) => {
        const ids = found!.rows.map(({ id }) => id as string);
        return ids.length === 0 ? null : update(ids);
      },
    ]);
    return (picked as Result<Picked>).rows;
  }

  /** Extends leases. @returns those of `held` that are still held */
  async renew(held: readonly Lease[], until: number): Promise<readonly Lease[]> {
    const results = await this.database.execute([
      putOff(this.#table, held, until, false),
      selectHeld(this.#table, held),
    ]);
    return this.#among(held, results[1]!.rows);
  }

  /** Tells which leases are held, by rows that are committed. Waits for no lock of others. */
  async held<One extends Lease>(leases: readonly One[]): Promise<readonly One[]> {
    const { rows } = await this.database.run(selectHeld(this.#table, leases));
    return this.#among(leases, rows);
  }

  #among<One extends Lease>(held: readonly One[], rows: readonly object[]): readonly One[] {
    const found = new Set(
      (rows as readonly Row[]).map(({ id, lease }) => `${String(id)} ${String(lease)}`),
    );
    return held.filter(({ id, token }) => found.has(`${keyOf(this.#table.prefix, id)} ${token}`));
  }

  /** Releases the rows that are still held; other processes can claim them from `dueAt` on. */
  async release(held: readonly Lease[], dueAt: number): Promise<void> {
    await this.database.run(putOff(this.#table, held, dueAt, true));
  }

  /** Deletes the rows that are still held, and before them the rows of `other` that have their ids. */
  async removeWith(other: string, held: readonly Lease[]): Promise<void> {
    await this.database.execute([
      deleteWithHeld(this.#table, other, held),
      deleteHeld(this.#table, held),
    ]);
  }
}

/** A message that its holder releases: until `againAt`, or for good. */
export interface Finished extends Lease {
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly againAt: number | null;
  /** The number of rows that its deliveries have: with fewer, the message is not released for good. */
  readonly deliveries: number;
}
