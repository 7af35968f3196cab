/**
 * The engine options of the library's tables on MySQL and MariaDB; other databases ignore them. The default collations
 * ignore case, but ids and tokens are case-sensitive.
 */
export const MYSQL_ENGINE = 'InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin';

/** The data source of a manager or a query runner. TypeORM 0.3 knows it as `connection` alone. */
export function dataSourceOf<Source>(owner: { readonly dataSource: Source }): Source {
  const either: { readonly dataSource?: Source; readonly connection?: Source } = owner;
  return (either.dataSource ?? either.connection)!;
}

/** Quotes the path of a table for SQL: its name, or schema and name with a dot between. */
export function escapePath(
  { driver }: { readonly driver: { escape(name: string): string } },
  path: string,
): string {
  return path
    .split('.')
    .map((part) => driver.escape(part))
    .join('.');
}

/** A query runner, as far as this asks for it. */
interface Runner {
  readonly isTransactionActive: boolean;
}

// PostgreSQL: a deadlock, and a row that was changed meanwhile. MySQL and MariaDB: a deadlock, and what MariaDB says of
// such a row.
const CONFLICTS: ReadonlySet<unknown> = new Set([
  ...['40P01', '40001'],
  ...['ER_LOCK_DEADLOCK', 'ER_CHECKREAD'],
]);

/** True when the database has ended a transaction in favour of another one, so that its caller may repeat it. */
export function isConflict(error: unknown): boolean {
  const { driverError } = (error ?? {}) as { readonly driverError?: { readonly code?: unknown } };
  return CONFLICTS.has(driverError?.code);
}

/** Of query runners that were found in a transaction that TypeORM has not begun: tells whether they still are. */
const byHand = new WeakMap<Runner, () => boolean>();

/** Tells whether a query runner is in a transaction, be it one that {@link noteTransactionByHand} has named. */
export function isInTransaction(runner: Runner | undefined): boolean {
  if (runner === undefined) return false;
  return runner.isTransactionActive || byHand.get(runner)?.() === true;
}

/** Makes {@link isInTransaction} ask `isOpen` as well. */
export function noteTransactionByHand(runner: Runner, isOpen: () => boolean): void {
  byHand.set(runner, isOpen);
}
