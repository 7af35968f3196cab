import type { QueryRunner } from 'typeorm';
import { dataSourceOf } from '../common/typeorm-compat.js';
import { isInTransaction } from './private-properties.js';

/** The connection of a query runner, as far as it tells of transactions: `pg` does since 8.21. */
interface Connection {
  getTransactionStatus?(): string | null;
}

/** A bit of the status that MariaDB and MySQL send with their answers. */
const IN_TRANSACTION = 1;

/**
 * Asks the driver of PostgreSQL or SQLite whether a transaction is open, no matter how it was begun.
 *
 * @returns undefined where the driver tells nothing
 */
export function hasTransaction(queryRunner: QueryRunner): boolean | undefined {
  const dataSource = dataSourceOf(queryRunner);
  if (dataSource.options.type === 'better-sqlite3') return isInTransaction(dataSource);
  // TypeORM has a method that connects, and none that tells the connection there is. Undefined before the first statement.
  const connection = Reflect.get(queryRunner, 'databaseConnection') as Connection | undefined;
  const status = connection?.getTransactionStatus?.();
  return typeof status === 'string' ? status !== 'I' : undefined;
}

/** Information about transactions that a database sends with the result of a statement. */
export interface Told {
  /** Whether a transaction is open after it, as MariaDB and MySQL tell with the result of a write. */
  readonly hasTransaction: boolean | undefined;
  /** True if it has rolled something back, as PostgreSQL tells. */
  readonly hasRolledBack: boolean;
}

/**
 * @param result as a driver gives it: a header of `mysql2`, a result of `pg`, or rows
 * @returns undefined when it tells nothing
 */
export function toldBy(result: unknown): Told | undefined {
  const { serverStatus, command } = (result ?? {}) as Readonly<Record<string, unknown>>;
  const hasRolledBack = command === 'ROLLBACK';
  if (typeof serverStatus === 'number') {
    return { hasTransaction: (serverStatus & IN_TRANSACTION) !== 0, hasRolledBack };
  }
  return hasRolledBack ? { hasTransaction: undefined, hasRolledBack } : undefined;
}
