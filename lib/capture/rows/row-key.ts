import type { EntityMetadata, ObjectLiteral } from 'typeorm';

/** TypeORM does not export the type by name. */
export type Column = EntityMetadata['columns'][number];

/** A text that is equal for equal ids of a class. Undefined when a part of the id is missing. */
export function rowKey(metadata: EntityMetadata, row: ObjectLiteral): string | undefined {
  const parts: string[] = [];
  for (const column of metadata.primaryColumns) {
    const value: unknown = column.getEntityValue(row);
    if (value === undefined || value === null) return undefined;
    parts.push(keyPart(value, column));
  }
  return parts.length === 1 ? parts[0] : JSON.stringify(parts);
}

/** One column's part of such a text. */
export function keyPart(value: unknown, column: Column): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Date) return value.toISOString();
  // Databases answer a uuid in lower case, however it was given.
  if (column.type === 'uuid') return String(value).toLowerCase();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
