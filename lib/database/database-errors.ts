import { setTimeout as sleep } from 'node:timers/promises';

const MOST_TRIES = 5;

// In each list: the codes of PostgreSQL, of MySQL and MariaDB (by name and, for Prisma, by number), and of SQLite.
const TAKEN: ReadonlySet<unknown> = new Set([
  ...['23505', 'ER_DUP_ENTRY', '1062'],
  ...['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT'],
]);
// A deadlock, and a row that was changed meanwhile.
const CONFLICTS: ReadonlySet<unknown> = new Set([
  ...['40P01', '40001'],
  ...['ER_LOCK_DEADLOCK', '1213', 'ER_CHECKREAD', '1020'],
  // A transaction has read before another connection wrote.
  'SQLITE_BUSY_SNAPSHOT',
]);
// The transaction is read-only, or the server is.
const READ_ONLY: ReadonlySet<unknown> = new Set([
  '25006',
  ...['ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION', '1792', 'ER_OPTION_PREVENTS_STATEMENT', '1290'],
]);
const LOCK_TIMEOUTS: ReadonlySet<unknown> = new Set([
  '55P03',
  ...['ER_LOCK_WAIT_TIMEOUT', '1205', 'ER_LOCK_NOWAIT', '3572'],
]);
// The role may not make tables, functions or triggers; with MySQL's binary log, not without SUPER.
const FORBIDDEN: ReadonlySet<unknown> = new Set([
  '42501',
  ...['ER_TABLEACCESS_DENIED_ERROR', '1142', 'ER_DBACCESS_DENIED_ERROR', '1044'],
  ...['ER_SPECIFIC_ACCESS_DENIED_ERROR', '1227', 'ER_BINLOG_CREATE_ROUTINE_NEED_SUPER', '1419'],
]);
const NO_TABLE: ReadonlySet<unknown> = new Set(['42P01', 'ER_NO_SUCH_TABLE', '1146']);

/** The code that the driver gave an error, however the client has wrapped it. */
export function databaseCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { driverError, cause, meta, driverAdapterError, originalCode, code } = error as Readonly<
    Record<string, unknown>
  >;
  return (
    databaseCode(driverError) ??
    databaseCode(cause) ??
    // Prisma has it in meta.driverAdapterError.cause.originalCode, or with its engine in meta.code.
    databaseCode(meta) ??
    databaseCode(driverAdapterError) ??
    (typeof originalCode === 'string' ? originalCode : undefined) ??
    (typeof code === 'string' ? code : undefined)
  );
}

/**
 * Removes the values of a statement, which drivers and clients repeat in their errors. Values of messages contain
 * secrets, and applications log errors.
 */
export function withoutValues(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  for (const name of ['sql', 'parameters', 'params']) Reflect.deleteProperty(error, name);
  const { driverError, cause } = error as Readonly<Record<string, unknown>>;
  withoutValues(driverError);
  withoutValues(cause);
  return error;
}

/** True when a row has a key that another one has. */
export function isTaken(error: unknown): boolean {
  return TAKEN.has(databaseCode(error));
}

/** True when the database has ended a transaction in favour of another one, so that its caller may repeat it. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.has(databaseCode(error));
}

/**
 * True when PostgreSQL no longer has a prepared statement, as after `DISCARD ALL`, or its result has other columns since a
 * migration.
 */
export function isPreparedLost(error: unknown): boolean {
  const code = databaseCode(error);
  return code === '26000' || code === '0A000';
}

/** True when PostgreSQL refuses what comes after a statement that has failed, until the rollback. */
export function isTransactionFailed(error: unknown): boolean {
  return databaseCode(error) === '25P02';
}

/** True when a lock was not given within the time that the statement allows. */
export function isLockTimeout(error: unknown): boolean {
  return LOCK_TIMEOUTS.has(databaseCode(error));
}

/** True when a transaction, or a server such as a replica, accepts no writes. */
export function isReadOnly(error: unknown): boolean {
  return READ_ONLY.has(databaseCode(error));
}

/** True when the role of the connection lacks the right to make what the statement makes. */
export function isForbidden(error: unknown): boolean {
  return FORBIDDEN.has(databaseCode(error));
}

export function isTableMissing(error: unknown): boolean {
  const code = databaseCode(error);
  if (code === 'SQLITE_ERROR') return /no such table/.test(String((error as Error).message));
  return NO_TABLE.has(code);
}

/** Repeats a transaction that the database has rolled back in favour of another one, or that was no longer prepared. */
export async function repeatOnConflict<Answer>(
  transaction: () => Promise<Answer>,
): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await transaction();
    } catch (error) {
      // A key is taken where another transaction has written the row since this one looked for it.
      const isRepeatable = isConflict(error) || isTaken(error) || isPreparedLost(error);
      if (!isRepeatable || tries === MOST_TRIES) throw error;
      // A random delay that grows, so that the competing transactions do not meet again.
      await sleep(Math.random() * 10 * 2 ** tries);
    }
  }
}
