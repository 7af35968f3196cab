import type { Column, RowTable } from './row-table.js';

/** The part of a column that its values depend on. */
type ValueColumn = Pick<Column, 'type' | 'toDatabase'>;

/**
 * A text that is equal for equal keys of a table. Undefined when a part of the key is missing.
 *
 * `entityRowKey` of `lib/typeorm` gives the same text for the same row. The changes of a row are joined by it: with two
 * texts, one row would count as two, and its events would be sent twice.
 */
export function tableRowKey({ key }: Pick<RowTable, 'key'>, row: object): string | undefined {
  return joinKey(key, (column) => partOf(row, column));
}

/** Joins the parts of a key. Undefined when a part is missing. */
export function joinKey<Of>(
  columns: readonly Of[],
  partOf: (column: Of) => string | undefined,
): string | undefined {
  if (columns.length === 1) return partOf(columns[0]!);
  const parts: string[] = [];
  for (const column of columns) {
    const part = partOf(column);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return JSON.stringify(parts);
}

function partOf(row: object, column: Column): string | undefined {
  const value = column.get(row);
  return value === undefined || value === null ? undefined : keyPart(value, column);
}

/** One column's part of the text of {@link tableRowKey}. */
export function keyPart(value: unknown, column: ValueColumn): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Date) return value.toISOString();
  // An object may keep its whole value in private fields, so its database form is used.
  const form = typeof value === 'object' ? databaseForm(column, value) : value;
  // Databases answer a uuid in lower case, however it was given.
  if (column.type === 'uuid') return String(form).toLowerCase();
  return typeof form === 'object' ? JSON.stringify(form) : String(form);
}

/** A value as the database gets it. */
export function databaseForm({ toDatabase }: ValueColumn, value: unknown): unknown {
  return toDatabase === undefined ? value : toDatabase(value);
}
