import type { Statement } from '../dialect.js';
import type { SqliteHandle, SqliteStatement } from '../sql-driver.js';
import { type Result, runStepsSync, type Step } from '../sql-client.js';

// For the whole process: a connection belongs to one application, and prepares each statement once, whichever of the clients
// and stores that share it runs the statement.
const statements = new WeakMap<SqliteHandle, Map<string, SqliteStatement>>();

/** Prepares a statement, once for each connection. */
function prepare(handle: SqliteHandle, sql: string): SqliteStatement {
  let prepared = statements.get(handle);
  if (prepared === undefined) statements.set(handle, (prepared = new Map()));
  let statement = prepared.get(sql);
  if (statement === undefined) {
    statement = handle.prepare(sql).safeIntegers(false);
    prepared.set(sql, statement);
  }
  return statement;
}

export function runStatement(handle: SqliteHandle, { sql, parameters }: Statement): Result {
  const prepared = prepare(handle, sql);
  if (!prepared.reader) return { rows: [], affected: prepared.run(...parameters).changes };
  const rows = prepared.all(...parameters) as Result['rows'];
  return { rows, affected: rows.length };
}

export function runTransaction(
  handle: SqliteHandle,
  steps: readonly Step[],
  log: (statement: Statement) => void,
): readonly Result[] {
  const run = () =>
    runStepsSync((statement) => {
      log(statement);
      return runStatement(handle, statement);
    }, steps);
  if (steps.length === 1) return run();
  handle.exec('BEGIN IMMEDIATE');
  try {
    const results = run();
    handle.exec('COMMIT');
    return results;
  } catch (error) {
    if (handle.inTransaction) handle.exec('ROLLBACK');
    throw error;
  }
}

/** True when another connection holds the lock that a statement needs. */
export function isLocked(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(code);
}

/**
 * True lets transactions on SQLite wait for each other: TypeORM gives all of them one connection. `timeout` is the longest
 * wait of a write in milliseconds, before it is refused with `TransactionTimeoutError`; default 10,000.
 */
export type SerializeTransactions = boolean | { readonly timeout: number };
