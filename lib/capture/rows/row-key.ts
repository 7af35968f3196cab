import type { EntityMetadata, ObjectLiteral } from 'typeorm';

/** TypeORM does not export the type by name. */
export type Column = EntityMetadata['columns'][number];

/** A text that is equal for equal ids of a class. Undefined when a part of the id is missing. */
export function rowKey(metadata: EntityMetadata, row: ObjectLiteral): string | undefined {
  const { primaryColumns } = metadata;
  if (primaryColumns.length === 1) return partOf(row, primaryColumns[0]!);
  const parts: string[] = [];
  for (const column of primaryColumns) {
    const part = partOf(row, column);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return JSON.stringify(parts);
}

function partOf(row: ObjectLiteral, column: Column): string | undefined {
  const value: unknown = column.getEntityValue(row);
  return value === undefined || value === null ? undefined : keyPart(value, column);
}

/** One column's part of such a text. */
export function keyPart(value: unknown, column: Column): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Date) return value.toISOString();
  // The private fields of an object may hold all of it.
  const form = typeof value === 'object' ? databaseForm(column, value) : value;
  // Databases answer a uuid in lower case, however it was given.
  if (column.type === 'uuid') return String(form).toLowerCase();
  return typeof form === 'object' ? JSON.stringify(form) : String(form);
}

/** A value as the transformer of its column gives it to the database. */
export function databaseForm({ transformer }: Column, value: unknown): unknown {
  if (transformer === undefined) return value;
  const all = Array.isArray(transformer) ? transformer : [transformer];
  return all.reduce<unknown>((result, { to }) => to(result), value);
}

/** False for values that JavaScript may give back changed: its dates have no microseconds. */
export function isReadInFull({ type }: Column): boolean {
  return type !== Date && !/^(?:datetime|time|interval)/.test(String(type));
}
