import type { Statement } from '../dialect.js';
import { NOTHING_DONE, type Result, type Step } from '../sql-client.js';

/** The connection of better-sqlite3, as far as the library uses it. */
export interface SqliteHandle {
  /** True while a transaction is open, by SQLite's own account. */
  readonly inTransaction: boolean;
  exec(sql: string): unknown;
  prepare(sql: string): PreparedStatement;
}

/** A statement of better-sqlite3. */
export interface PreparedStatement {
  readonly reader: boolean;
  all(...parameters: unknown[]): unknown[];
  run(...parameters: unknown[]): { readonly changes: number };
}

const statements = new WeakMap<SqliteHandle, Map<string, PreparedStatement>>();

/** Prepares a statement, once for each connection. */
export function prepare(handle: SqliteHandle, sql: string): PreparedStatement {
  let prepared = statements.get(handle);
  if (prepared === undefined) statements.set(handle, (prepared = new Map()));
  let statement = prepared.get(sql);
  if (statement === undefined) prepared.set(sql, (statement = handle.prepare(sql)));
  return statement;
}

/** Runs one statement. */
export function runStatement(handle: SqliteHandle, { sql, parameters }: Statement): Result {
  const prepared = prepare(handle, sql);
  if (!prepared.reader) return { rows: [], affected: prepared.run(...parameters).changes };
  const rows = prepared.all(...parameters) as Result['rows'];
  return { rows, affected: rows.length };
}

/**
 * Runs steps in one transaction.
 *
 * @param log is told of each statement before it runs
 */
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
 * True when each connection would have a database of its own.
 *
 * @param name of the database as it was opened; another value is a copy
 */
export function isInMemory(name: unknown): boolean {
  // The empty name is a private temporary file, a Buffer is a copy.
  return (
    typeof name !== 'string' ||
    name === '' ||
    name.includes(':memory:') ||
    name.includes('mode=memory')
  );
}
