import { randomUUID } from 'node:crypto';
import type { Clock } from '../../common/index.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { Step } from '../../database/sql-client.js';
import {
  insertChangesLease,
  releaseChangesLease,
  renewChangesLease,
  selectChangesLease,
  takeChangesLease,
} from '../../database/triggers/changes-lease.js';

/** Milliseconds between two looks at the lease of another process. */
const LOOK_EVERY = 1000;

/** Thrown when another process has taken the lease. The transaction is rolled back: nothing of it is written. */
export class ChangeLeaseLostError extends Error {}

/** The row `changes` of `thorn_leases`: the process that holds it makes messages of changes, and no other does. */
export class ChangeLease {
  readonly #token = randomUUID();
  /** When the lease ends, in milliseconds since the Unix epoch. Until then no other process can take it. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  /** By `performance.now()`. */
  #nextLook = Number.NEGATIVE_INFINITY;

  /** @param lease milliseconds after the last renewal until another process may take the lease */
  constructor(
    private readonly database: SqlStore,
    private readonly clock: Clock,
    private readonly lease: number,
  ) {}

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
    const until = this.clock.now() + this.lease;
    return [
      renewChangesLease(this.database, this.#token, until),
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

  /** Gives the lease up, so that another process can take it at once. */
  async giveBack(): Promise<void> {
    if (this.#heldUntil === Number.NEGATIVE_INFINITY) return;
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    await this.database.run(releaseChangesLease(this.database, this.#token));
  }

  async #take(): Promise<boolean> {
    const { database } = this;
    const [row] = (await database.run(selectChangesLease(database))).rows;
    const now = this.clock.now();
    if (row === undefined) {
      await database.run(insertChangesLease(database));
    } else if (row.lease !== this.#token && Number(row.due_at) > now) {
      return false;
    }
    const until = now + this.lease;
    const { affected } = await database.run(takeChangesLease(database, this.#token, until, now));
    if (affected > 0) this.#heldUntil = until;
    return affected > 0;
  }
}
