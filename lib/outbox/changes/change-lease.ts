import { randomUUID } from 'node:crypto';
import type { Clock } from '../../common/index.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Step } from '../../database/sql-client.js';
import { CHANGES_LEASE, changesLease } from '../../database/triggers/captured-tables.js';

/** Milliseconds between two looks at the lease of another process. */
const LOOK_EVERY = 1000;

/** Another process has taken the lease: what was to be written is not. */
export class ChangeLeaseLostError extends Error {}

/** The row `changes` of `thorn_leases`: the process that holds it makes messages of changes, and no other does. */
export class ChangeLease {
  readonly #table: string;
  readonly #token = randomUUID();
  /** Milliseconds since the Unix epoch: until then nobody else can hold it. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  /** By `performance.now()`. */
  #nextLook = Number.NEGATIVE_INFINITY;

  /** @param lease how long it is held without a sign of life, in milliseconds */
  constructor(
    private readonly database: SqlStore,
    private readonly clock: Clock,
    private readonly lease: number,
  ) {
    this.#table = database.table('thorn_leases');
  }

  /** Takes the lease unless another process holds it, and renews it in good time. @returns whether this process holds it */
  async hold(): Promise<boolean> {
    if (this.#heldUntil - this.clock.now() > this.lease / 2) return true;
    if (performance.now() < this.#nextLook) return false;
    const isHeld = await this.#take();
    if (!isHeld) this.#nextLook = performance.now() + LOOK_EVERY;
    return isHeld;
  }

  /** The first steps of a transaction that only the holder may commit. They renew the lease. */
  fence(): Step[] {
    const { sql, parameters, until } = this.#renewal('lease = ?', [this.#token]);
    return [
      { sql, parameters },
      ([renewed]) => {
        if (renewed!.affected === 0) {
          this.#heldUntil = Number.NEGATIVE_INFINITY;
          throw new ChangeLeaseLostError('Another process reads changes by now');
        }
        this.#heldUntil = until;
        return null;
      },
    ];
  }

  /** Lets another process take it at once. */
  async giveBack(): Promise<void> {
    if (this.#heldUntil === Number.NEGATIVE_INFINITY) return;
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    const sql = `UPDATE ${this.#table} SET lease = NULL, due_at = 0 WHERE name = ? AND lease = ?`;
    await this.database.run({ sql, parameters: [CHANGES_LEASE, this.#token] });
  }

  async #take(): Promise<boolean> {
    const sql = `SELECT lease, due_at FROM ${this.#table} WHERE name = ?`;
    const { rows } = await this.database.run({
      sql,
      parameters: [CHANGES_LEASE],
      answersRows: true,
    });
    const [row] = rows;
    if (row === undefined) {
      await this.database.run(changesLease(this.database));
    } else if (row['lease'] !== this.#token && Number(row['due_at']) > this.clock.now()) {
      return false;
    }
    const taking = this.#renewal('(lease = ? OR due_at <= ?)', [this.#token, this.clock.now()]);
    const { affected } = await this.database.run(taking);
    if (affected > 0) this.#heldUntil = taking.until;
    return affected > 0;
  }

  #renewal(condition: string, values: readonly unknown[]) {
    const until = this.clock.now() + this.lease;
    return {
      sql: `UPDATE ${this.#table} SET lease = ?, due_at = ? WHERE name = ? AND ${condition}`,
      parameters: [this.#token, until, CHANGES_LEASE, ...values],
      until,
    };
  }
}
