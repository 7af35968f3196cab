import { type Write, write } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { TableNames, Target } from './table-names.js';

/** An operation that makes deliveries of a subscriber due in batches. */
export type ReplayOperation = 'retryFailed' | 'backfill';

/** The key of a row: the key of the subscriber's row, and the kind of the operation. */
export interface Mark {
  readonly subscriberId: string;
  readonly operation: ReplayOperation;
}

/** Milliseconds after which a bulk operation without a batch counts as ended. */
const ABANDONED_AFTER = 5 * 60_000;
const MOST_TRIES = 3;

/** Puts the end of a mark off. Index: the primary key. */
export function renewMark(
  { tables }: Target,
  { subscriberId, operation }: Mark,
  expiresAt: number,
): Write {
  return write(
    `UPDATE ${tables.bulkOperations} SET expires_at = ? WHERE subscriber_id = ? AND operation = ?`,
    [expiresAt, subscriberId, operation],
  );
}

/** Adds a mark, unless it is there. Index: the primary key. */
export function insertMark(
  { dialect, tables }: Target,
  { subscriberId, operation }: Mark,
  expiresAt: number,
): Write {
  const columns = ['subscriber_id', 'operation', 'expires_at'];
  return write(dialect.insertNew(tables.bulkOperations, columns, 'VALUES (?, ?, ?)'), [
    ...[subscriberId, operation, expiresAt],
  ]);
}

/** Removes a mark. Index: the primary key. */
export function deleteMark({ tables }: Target, { subscriberId, operation }: Mark): Write {
  return write(`DELETE FROM ${tables.bulkOperations} WHERE subscriber_id = ? AND operation = ?`, [
    ...[subscriberId, operation],
  ]);
}

/** Removes marks that have ended. Index: (expires_at). */
export function deleteAbandonedMarks({ tables }: Target, now: number): Write {
  return write(`DELETE FROM ${tables.bulkOperations} WHERE expires_at <= ?`, [now]);
}

/**
 * The marks of bulk operations, in `thorn_bulk_operations`. No ordered delivery of a subscriber gets its turn while one is
 * there: a later batch may bring earlier messages. `subscriberId` is the key of the subscriber's row in all of these methods.
 */
export class BulkOperations {
  readonly #target: Target;

  constructor(
    private readonly database: SqlStore,
    tables: TableNames,
  ) {
    this.#target = { dialect: database.dialect, tables };
  }

  /** Called before each batch, since a mark that nobody renews for five minutes counts no more. */
  async mark(subscriberId: string, operation: ReplayOperation, now: number): Promise<void> {
    const expiresAt = now + ABANDONED_AFTER;
    const mark = { subscriberId, operation };
    // More than once where the mark of an operation that was abandoned is removed meanwhile.
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { affected } = await this.database.run(renewMark(this.#target, mark, expiresAt));
      if (affected > 0) return;
      await this.database.run(insertMark(this.#target, mark, expiresAt));
    }
  }

  /** After the last one, queues give turns again when they are looked at next. */
  async unmark(subscriberId: string, operation: ReplayOperation): Promise<void> {
    await this.database.run(deleteMark(this.#target, { subscriberId, operation }));
  }

  /** Removes the marks of operations that were stopped, or whose process died. */
  async unmarkAbandoned(now: number): Promise<void> {
    await this.database.run(deleteAbandonedMarks(this.#target, now));
  }
}
