import type { TableColumn } from '../../capture/index.js';
import type {
  ReportedChange,
  ReportedRow,
  ReportedTable,
} from '../../database/triggers/reported-table.js';
import { readReportedRow } from '../../database/triggers/reported-values.js';

/** A row of `thorn_changes` as it was read, with its rows as JSON. */
export interface StoredChange {
  readonly id: string;
  readonly transaction: string | null;
  readonly table: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** The changes of one row in one transaction, in their order; where transactions are not known, one change. */
export type ChangeUnit = readonly StoredChange[];

/** Puts changes together whose messages are made of all of them. In the order of the first change of each. */
export function unitsOf(
  changes: readonly StoredChange[],
  tables: ReadonlyMap<string, ReportedTable>,
): readonly ChangeUnit[] {
  const units = new Map<string, StoredChange[]>();
  for (const change of changes) {
    const key = keyOf(change, tables.get(change.table)!);
    const unit = units.get(key);
    if (unit === undefined) units.set(key, [change]);
    else unit.push(change);
  }
  return [...units.values()];
}

/**
 * Reads the rows of a change. With another key it is another row: a removal and a creation.
 *
 * @throws `SyntaxError` for a row that no trigger of the library has written
 */
export function reportedChanges(
  { before: old, after: now, ...change }: StoredChange,
  { key }: ReportedTable,
  columns: readonly TableColumn[],
): readonly ReportedChange[] {
  const read = (row: string | null) => (row === null ? null : readReportedRow(row, columns));
  const [before, after] = [read(old), read(now)];
  if (before === null || after === null || key.every((name) => before[name] === after[name])) {
    return [{ ...change, before, after }];
  }
  return [
    { ...change, before, after: null },
    { ...change, before: null, after },
  ];
}

/** The changes of units in the order in which they were made. */
export function changesOf(units: readonly ChangeUnit[]): readonly StoredChange[] {
  return units.flat().sort((one, other) => Number(BigInt(one.id) - BigInt(other.id)));
}

function keyOf({ id, transaction, table, before, after }: StoredChange, { key }: ReportedTable) {
  if (transaction === null) return id;
  try {
    const row = JSON.parse((after ?? before)!) as ReportedRow;
    return JSON.stringify([transaction, table, ...key.map((column) => row[column])]);
  } catch {
    // The fault of the change is reported when its message is made.
    return id;
  }
}
