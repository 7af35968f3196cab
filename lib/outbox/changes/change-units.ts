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

/** Groups changes into units: one message is made of all changes of a unit. Units are in the order of their first changes. */
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

/**
 * Puts the changes of one row in one transaction in the order in which they were made. By their ids they are in the order in
 * which statements have ended: a trigger of the application that changes the row once more ends before the statement that has
 * fired it.
 */
export function inOrder(
  changes: readonly StoredChange[],
  tables: ReadonlyMap<string, ReportedTable>,
): readonly StoredChange[] {
  if (new Set(changes.map(({ id, transaction }) => transaction ?? id)).size === changes.length) {
    return changes;
  }
  const ordered = [...changes];
  const positions = new Map(changes.map(({ id }, position) => [id, position]));
  for (const unit of unitsOf(changes, tables)) {
    const chain = chainOf(unit);
    for (const [at, { id }] of unit.entries()) ordered[positions.get(id)!] = chain[at]!;
  }
  return ordered;
}

/** Each change begins with the row that the one before it has left. @returns the unit as it is where no order has this */
function chainOf(unit: ChangeUnit): ChangeUnit {
  if (unit.every(({ before }, at) => at === 0 || before === unit[at - 1]!.after)) return unit;
  const left = [...unit];
  const rest = unit.map(({ after }) => after);
  const first = unit.find(({ before }) => {
    const at = rest.indexOf(before);
    if (at !== -1) rest.splice(at, 1);
    return at === -1;
  });
  const chain: StoredChange[] = [];
  for (let row = first?.before; left.length > 0; row = chain.at(-1)!.after) {
    const at = left.findIndex(({ before }) => before === row);
    if (at === -1) return unit;
    chain.push(...left.splice(at, 1));
  }
  return chain;
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
