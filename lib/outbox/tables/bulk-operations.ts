import type { RowOf } from '../../database/schema/table-definition.js';
import type { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import { TableRows } from '../../database/table-rows.js';
import type { SqlTables } from '../../database/sql-client.js';

/** An operation that makes deliveries of a subscriber due in batches. */
export type ReplayOperation = 'retryFailed' | 'backfill';

/** Milliseconds after which a bulk operation without a batch counts as ended. */
const ABANDONED_AFTER = 5 * 60_000;
const MOST_TRIES = 3;

/**
 * The marks of bulk operations, in `thorn_bulk_operations`. No ordered delivery of a subscriber gets its turn while one is
 * there: a later batch may bring earlier messages. `subscriberId` is the key of the subscriber's row in all of these methods.
 */
export class BulkOperations {
  readonly #marks: TableRows<RowOf<typeof OUTBOX_TABLES.bulkOperations>>;

  constructor(database: SqlTables, table: string) {
    this.#marks = new TableRows(database, table);
  }

  /** Called before each batch, since a mark that nobody renews for five minutes counts no more. Index: the primary key. */
  async mark(subscriberId: string, operation: ReplayOperation, now: number): Promise<void> {
    const expires_at = now + ABANDONED_AFTER;
    const own = 'subscriber_id = ? AND operation = ?';
    // More than once where the mark of an operation that was abandoned is removed meanwhile.
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if ((await this.#marks.update({ expires_at }, own, subscriberId, operation)) > 0) return;
      await this.#marks.insertUnlessThere({ subscriber_id: subscriberId, operation, expires_at });
    }
  }

  /** After the last one, queues give turns again when they are looked at next. Index: the primary key. */
  async unmark(subscriberId: string, operation: ReplayOperation): Promise<void> {
    await this.#marks.delete('subscriber_id = ? AND operation = ?', subscriberId, operation);
  }

  /** Removes the marks of operations that were stopped, or whose process died. Index: (expires_at). */
  async unmarkAbandoned(now: number): Promise<void> {
    await this.#marks.delete('expires_at <= ?', now);
  }
}
