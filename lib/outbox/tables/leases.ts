import type { Columns, Statement } from '../../database/dialect.js';
import type { IdPrefix } from '../../common/id.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Row } from '../../database/sql-client.js';
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

const HELD: Columns = { id: 'uuid', lease: 'text' };
const PUT_OFF: Columns = { ...HELD, due_at: 'bigint' };
const IS_HELD = 't.id = r.id AND t.lease = r.lease';

/** The leases on the rows of one table: a process claims rows, renews its leases, and releases the rows. */
export class Leases {
  /**
   * @param table the quoted name of the table
   * @param prefix of the ids that its keys stand for
   */
  constructor(
    private readonly database: SqlStore,
    private readonly table: string,
    private readonly prefix: IdPrefix,
  ) {}

  /**
   * Claims rows on databases whose UPDATE cannot return rows. The rows stay locked until they carry the token, and
   * other processes skip locked rows.
   *
   * @param pick selects the rows to claim, and locks them
   */
  claim(pick: Statement, token: string, until: number): Promise<readonly Row[]> {
    return this.change(pick, 'lease = ?, due_at = ? WHERE 1 = 1', [token, until]);
  }

  /**
   * Changes the rows that a query picks.
   *
   * @param update what comes after SET, with a condition. MariaDB may have let others change a row since it was picked
   * @returns the rows that were picked
   */
  async change(
    pick: Statement,
    update: string,
    parameters: readonly unknown[],
  ): Promise<readonly Row[]> {
    const [picked] = await this.database.execute([
      pick,
      ([found]) => {
        const ids = found!.rows.map(({ id }) => id);
        if (ids.length === 0) return null;
        return {
          sql: `UPDATE ${this.table} SET ${update} AND id IN (${ids.map(() => '?').join(', ')})`,
          parameters: [...parameters, ...ids],
        };
      },
    ]);
    return picked!.rows;
  }

  /** Extends leases. @returns those of `held` that are still held */
  async renew(held: readonly Lease[], until: number): Promise<readonly Lease[]> {
    const results = await this.database.execute([this.#dueAt(held, until, []), this.#found(held)]);
    return this.#among(held, results[1]!.rows);
  }

  /** Tells which leases are held, by rows that are committed. Waits for no lock of others. */
  async held<One extends Lease>(leases: readonly One[]): Promise<readonly One[]> {
    const { rows } = await this.database.run(this.#found(leases));
    return this.#among(leases, rows);
  }

  #found(held: readonly Lease[]): Statement {
    const { dialect } = this.database;
    return {
      sql: `SELECT r.id, r.lease FROM ${dialect.rows('r', HELD)} ${dialect.join} ${this.table} t ON ${IS_HELD}`,
      parameters: [dialect.rowsParameter(HELD, this.#rows(held))],
    };
  }

  #among<One extends Lease>(held: readonly One[], rows: readonly Row[]): readonly One[] {
    const found = new Set(rows.map(({ id, lease }) => `${String(id)} ${String(lease)}`));
    return held.filter(({ id, token }) => found.has(`${keyOf(this.prefix, id)} ${token}`));
  }

  /** Releases the rows that are still held; other processes can claim them from `dueAt` on. */
  async release(held: readonly Lease[], dueAt: number): Promise<void> {
    await this.database.run(this.#dueAt(held, dueAt, ['lease = NULL']));
  }

  /** Deletes the rows that are still held, and before them the rows of `other` that have their ids. */
  async removeWith(other: string, held: readonly Lease[]): Promise<void> {
    const { dialect } = this.database;
    const source = dialect.rows('r', HELD);
    const parameters = [dialect.rowsParameter(HELD, this.#rows(held))];
    const isHeld = `t.id = r.id AND EXISTS (SELECT 1 FROM ${this.table} h WHERE h.id = r.id AND h.lease = r.lease)`;
    await this.database.execute([
      { sql: dialect.deleteFrom(other, source, isHeld), parameters },
      { sql: dialect.deleteFrom(this.table, source, IS_HELD), parameters },
    ]);
  }

  #dueAt(held: readonly Lease[], dueAt: number, set: readonly string[]): Statement {
    const { dialect } = this.database;
    const rows = this.#rows(held).map((row) => ({ ...row, due_at: dueAt }));
    return {
      sql: dialect.updateFrom(
        this.table,
        [...set, 'due_at = r.due_at'],
        dialect.rows('r', PUT_OFF),
        IS_HELD,
      ),
      parameters: [dialect.rowsParameter(PUT_OFF, rows)],
    };
  }

  #rows(held: readonly Lease[]): readonly { readonly id: string; readonly lease: string }[] {
    return held.map(({ id, token }) => ({ id: keyOf(this.prefix, id), lease: token }));
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
