import type { Columns, Statement } from '../database/dialect.js';
import type { OutboxDatabase, Row } from '../database/outbox-database.js';

/** Holding a message or a delivery: its id, and the token that the holder has written to the row. */
export interface Lease {
  readonly id: string;
  readonly token: string;
}

const HELD: Columns = { id: 'text', lease: 'text' };
const PUT_OFF: Columns = { ...HELD, due_at: 'bigint' };
const IS_HELD = 't.id = r.id AND t.lease = r.lease';

/** What messages and deliveries have in common: a process takes rows, puts off the end of its lease, and lets go of them. */
export class Leases {
  /** @param table its quoted name */
  constructor(
    private readonly database: OutboxDatabase,
    private readonly table: string,
  ) {}

  /**
   * Takes rows, where UPDATE answers none: they are locked, and passed over by whoever looks meanwhile, until they carry
   * the token.
   *
   * @param pick selects the rows to take, locking them
   */
  async take(pick: Statement, lease: string, until: number): Promise<readonly Row[]> {
    const [picked] = await this.database.execute([
      pick,
      ([found]) => {
        const ids = found!.rows.map(({ id }) => id);
        if (ids.length === 0) return null;
        return {
          sql: `UPDATE ${this.table} SET lease = ?, due_at = ? WHERE id IN (${ids.map(() => '?').join(', ')})`,
          parameters: [lease, until, ...ids],
        };
      },
    ]);
    return picked!.rows;
  }

  /** Puts off the end of leases. @returns those of `held` that are still held */
  async renew(held: readonly Lease[], until: number): Promise<readonly Lease[]> {
    const { dialect } = this.database;
    const results = await this.database.execute([
      this.#dueAt(held, until, []),
      {
        sql: `SELECT r.id, r.lease FROM ${dialect.rows('r', HELD)} ${dialect.join} ${this.table} t ON ${IS_HELD}`,
        parameters: [dialect.rowsParameter(HELD, held)],
      },
    ]);
    return results[1]!.rows as unknown as readonly Lease[];
  }

  /** Lets go of rows that are still held, so that they can be taken at `dueAt`. */
  async release(held: readonly Lease[], dueAt: number): Promise<void> {
    await this.database.run(this.#dueAt(held, dueAt, ['lease = NULL']));
  }

  /** Deletes rows that are still held. */
  async remove(held: readonly Lease[]): Promise<void> {
    const { dialect } = this.database;
    await this.database.run({
      sql: dialect.deleteFrom(this.table, dialect.rows('r', HELD), IS_HELD),
      parameters: [dialect.rowsParameter(HELD, held)],
    });
  }

  #dueAt(held: readonly Lease[], dueAt: number, set: readonly string[]): Statement {
    const { dialect } = this.database;
    const rows = held.map(({ id, token: lease }) => ({ id, lease, due_at: dueAt }));
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
}

/** A message that its holder lets go of: for good, or until `againAt`. */
export interface Finished extends Lease {
  readonly againAt: number | null;
}
