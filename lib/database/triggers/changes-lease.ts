import { type Select, select, type Write, write } from '../dialect.js';
import type { RowOf } from '../schema/table-definition.js';
import { OUTBOX_TABLES } from '../schema/thorn-tables.js';
import type { SqlTables } from '../sql-client.js';

// The statements on `thorn_leases`. Its row `changes` is shared by those who read changes of tables and by those who subscribe.
// Index of each of them: the primary key.

type LeaseRow = RowOf<typeof OUTBOX_TABLES.leases>;

/** The row of those who read changes. */
const CHANGES_LEASE = 'changes';

/** Makes the row, unless it is there. */
export function insertChangesLease(database: SqlTables): Write {
  const columns = ['name', 'due_at', 'revision'];
  const sql = database.dialect.insertNew(tableOf(database), columns, 'VALUES (?, 0, 0)');
  return write(sql, [CHANGES_LEASE]);
}

/** The holder of the lease, and the end of the lease. */
export function selectChangesLease(
  database: SqlTables,
): Select<Pick<LeaseRow, 'lease' | 'due_at'>> {
  return select(`SELECT lease, due_at FROM ${tableOf(database)} WHERE name = ?`, [CHANGES_LEASE]);
}

/** Renews the lease of its holder. */
export function renewChangesLease(database: SqlTables, token: string, until: number): Write {
  return write(
    `UPDATE ${tableOf(database)} SET lease = ?, due_at = ? WHERE name = ? AND lease = ?`,
    [token, until, CHANGES_LEASE, token],
  );
}

/** Takes the lease where its time is over, or renews it. */
export function takeChangesLease(
  database: SqlTables,
  token: string,
  until: number,
  now: number,
): Write {
  return write(
    `UPDATE ${tableOf(database)} SET lease = ?, due_at = ? WHERE name = ? AND (lease = ? OR due_at <= ?)`,
    [token, until, CHANGES_LEASE, token, now],
  );
}

/** Ends the lease of its holder. */
export function releaseChangesLease(database: SqlTables, token: string): Write {
  return write(
    `UPDATE ${tableOf(database)} SET lease = NULL, due_at = 0 WHERE name = ? AND lease = ?`,
    [CHANGES_LEASE, token],
  );
}

/** The number of subscriptions to events of tables so far: when it has grown, subscribers have to be read again. */
export function selectRevision(database: SqlTables): Select<Pick<LeaseRow, 'revision'>> {
  return select(`SELECT revision FROM ${tableOf(database)} WHERE name = ?`, [CHANGES_LEASE]);
}

/** Counts one more subscription to events of tables. */
export function raiseRevision(database: SqlTables): Write {
  return write(`UPDATE ${tableOf(database)} SET revision = revision + 1 WHERE name = ?`, [
    CHANGES_LEASE,
  ]);
}

function tableOf(database: SqlTables): string {
  return database.table(OUTBOX_TABLES.leases.name);
}
