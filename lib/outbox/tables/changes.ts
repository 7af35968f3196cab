import {
  type Dialect,
  idRows,
  type Select,
  select,
  type Statement,
  type Write,
  write,
} from '../../database/dialect.js';
import type { RowOf } from '../../database/schema/table-definition.js';
import type { CHANGES } from '../../database/schema/thorn-tables.js';
import type { ReportedTable } from '../../database/triggers/reported-table.js';

// The statements on `thorn_changes`, which triggers fill. It has no index but its primary key, which would cost whoever
// writes the tables with triggers: it is read in the order of its ids, and some statements read it whole.

/** The table and its database. */
export interface ChangesTarget {
  readonly dialect: Dialect;
  /** The name of the table in SQL. */
  readonly table: string;
}

/** A change that a trigger has written down. */
export type ChangeRow = Pick<RowOf<typeof CHANGES>, 'id' | 'tx' | 'source' | 'old_row' | 'new_row'>;

/** The oldest changes of tables that have not failed. Index: the primary key, in its order. */
export function selectOldestChanges(
  target: ChangesTarget,
  sources: readonly string[],
  limit: number,
): Select<ChangeRow> {
  return selectChanges(target, sources, { sql: `ORDER BY c.id LIMIT ${limit}`, parameters: [] });
}

/** Changes of a table, by their ids. */
export interface ChangesOf {
  readonly table: ReportedTable;
  readonly ids: readonly string[];
}

/**
 * The later changes of the rows that some changes are of, by transactions that go on, on PostgreSQL. Index: the primary key,
 * behind the last id; none for the rest.
 */
export function selectFurtherChanges(
  target: ChangesTarget,
  sources: readonly string[],
  changes: readonly ChangesOf[],
  last: string,
  transactions: readonly string[],
): Select<ChangeRow> {
  const ofRows = changes.map(({ table, ids }): Statement => {
    const [key, known] = [keyOf('c', table), keyOf('k', table)];
    return {
      sql: `(c.source = ? AND (c.tx, ${key.sql}) IN (SELECT k.tx, ${known.sql} FROM ${target.table} k WHERE k.id = ANY(CAST(? AS bigint[]))))`,
      parameters: [table.name, ...key.parameters, ...known.parameters, ids],
    };
  });
  const condition = ofRows.map(({ sql }) => sql).join(' OR ');
  return selectChanges(target, sources, {
    sql: `AND c.id > CAST(? AS bigint) AND c.tx = ANY(CAST(? AS bigint[])) AND (${condition}) ORDER BY c.id`,
    parameters: [last, transactions, ...ofRows.flatMap(({ parameters }) => parameters)],
  });
}

/** Counts the changes behind an id by transaction, on PostgreSQL. Index: the primary key, behind the id. */
export function countFurtherChanges(
  { table }: ChangesTarget,
  last: string,
  transactions: readonly string[],
): Select<{ readonly tx: number | string; readonly left: number | string }> {
  return select(
    `SELECT tx, COUNT(*) AS left FROM ${table} WHERE id > CAST(? AS bigint) AND tx = ANY(CAST(? AS bigint[])) GROUP BY tx`,
    [last, transactions],
  );
}

/** A row of a table that a transaction has changed more than once, if there is one, on PostgreSQL. Index: none. */
export function selectRepeatedChange(
  { table }: ChangesTarget,
  reported: ReportedTable,
  transaction: string,
): Select {
  const { sql, parameters } = keyOf('c', reported);
  const columns = reported.key.map((_, at) => at + 1).join(', ');
  return select(
    `SELECT ${sql} FROM ${table} c WHERE c.tx = CAST(? AS bigint) AND c.source = ? GROUP BY ${columns} HAVING COUNT(*) > 1 LIMIT 1`,
    [...parameters, transaction, reported.name],
  );
}

/** Removes changes. Index: the primary key. */
export function deleteChanges({ dialect, table }: ChangesTarget, ids: readonly string[]): Write {
  const { rows, parameter } = idRows(dialect, ids, 'bigint');
  return write(dialect.deleteFrom(table, rows, 't.id = r.id'), [parameter]);
}

/** Notes why no message can be made of changes: readers pass them over. Index: the primary key. */
export function failChanges(
  { dialect, table }: ChangesTarget,
  ids: readonly string[],
  fault: string,
  now: number,
): Write {
  // One transaction may have changed a row more often than a statement has parameters.
  const { rows, parameter } = idRows(dialect, ids, 'bigint');
  return write(
    dialect.updateFrom(table, ['fault = ?', 'failed_at = ?'], rows, 't.id = r.id'),
    dialect.name === 'mysql' ? [parameter, fault, now] : [fault, now, parameter],
  );
}

/** Lets readers try the changes again that have failed. Index: none. */
export function retryChanges({ table }: ChangesTarget): Write {
  return write(
    `UPDATE ${table} SET fault = NULL, failed_at = NULL WHERE failed_at IS NOT NULL`,
    [],
  );
}

/** Counts all changes, and the failed changes. Index: none. */
export function countChanges({
  table,
}: ChangesTarget): Select<Readonly<Record<'total' | 'failed', number | string>>> {
  return select(`SELECT COUNT(*) AS total, COUNT(failed_at) AS failed FROM ${table}`, []);
}

/** Tables of changes besides the named tables. Index: none. */
export function selectOtherSources(
  { table }: ChangesTarget,
  sources: readonly string[],
  limit: number,
): Select<Pick<ChangeRow, 'source'>> {
  return select(
    `SELECT DISTINCT source FROM ${table} WHERE source NOT IN (${marks(sources)}) LIMIT ${limit}`,
    sources,
  );
}

function selectChanges(
  { dialect, table }: ChangesTarget,
  sources: readonly string[],
  rest: Statement,
): Select<ChangeRow> {
  const [before, after] = ['c.old_row', 'c.new_row'].map((column) => dialect.asText(column));
  return select(
    `SELECT c.id, c.tx, c.source, ${before} AS old_row, ${after} AS new_row FROM ${table} c WHERE c.failed_at IS NULL AND c.source IN (${marks(sources)}) ${rest.sql}`,
    [...sources, ...rest.parameters],
  );
}

/** The values of a key, in either of the rows of a change. */
function keyOf(alias: string, { key }: ReportedTable): Statement {
  const column = 'CAST(? AS text)';
  const value = `COALESCE(${alias}.new_row ->> ${column}, ${alias}.old_row ->> ${column})`;
  return {
    sql: key.map(() => value).join(', '),
    parameters: key.flatMap((name) => [name, name]),
  };
}

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}
