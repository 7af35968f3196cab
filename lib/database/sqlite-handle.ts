import type { Statement } from './dialect.js';
import type { SqliteHandle, SqliteStatement } from './sql-driver.js';
import { NOTHING_DONE, type Result, type Step } from './sql-client.js';

// The map is for the whole process. A connection belongs to one application, and several clients and stores may share it:
// each statement is prepared once, whichever of them runs it.
const statements = new WeakMap<SqliteHandle, Map<string, SqliteStatement>>();

/** Prepares a statement. Each connection prepares it once. */
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
  const run = () => {
    const results: Result[] = [];
    for (const step of steps) {
      const statement = typeof step === 'function' ? step(results) : step;
      if (statement !== null) log(statement);
      results.push(statement === null ? NOTHING_DONE : runStatement(handle, statement));
    }
    return results;
  };
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
 * True: transactions on SQLite wait for each other, because TypeORM runs all of them on one connection. `timeout` is
 * the longest time in milliseconds that a write waits before it is refused with `TransactionTimeoutError`; default
 * 10,000.
 */
export type SerializeTransactions = boolean | { readonly timeout: number };
