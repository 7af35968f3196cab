import type { ObjectLiteral, RelationMetadata } from 'typeorm';
import type { ChangedValue } from './row-change.js';

/** A shallow copy that does not touch getters: those of lazy relations would start a query. */
export function copyRow<Row extends object>(row: Row): Row {
  return Object.defineProperties(
    Object.create(Object.getPrototypeOf(row) as object | null) as Row,
    Object.getOwnPropertyDescriptors(row),
  );
}

/** The old row with the changed values laid over it. */
export function layOver(old: ObjectLiteral, values: Iterable<ChangedValue>): ObjectLiteral {
  const row = copyRow(old);
  for (const { of, value } of values) of.setEntityValue(row, value);
  return row;
}

/**
 * An old row as far as it is known in full: without the relations, of which TypeORM's own old row has the ids only.
 */
export function withoutRelations(
  row: ObjectLiteral,
  relations: readonly RelationMetadata[],
): ObjectLiteral {
  const copy = copyRow(row);
  for (const { embeddedMetadata, propertyName } of relations) {
    if (embeddedMetadata === undefined) delete copy[propertyName];
  }
  return copy;
}

/** A row without the values at `paths`: what a path named but TypeORM keeps out of rows is not the payload's to see. */
export function withoutPaths<Value>(value: Value, paths: readonly string[]): Value {
  if (paths.length === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withoutPaths(item, paths)) as Value;
  const copy = copyRow(value) as Record<string, unknown>;
  for (const path of paths) {
    const [key, ...rest] = path.split('.') as [string, ...string[]];
    if (rest.length === 0) delete copy[key];
    else if (Object.hasOwn(copy, key)) copy[key] = withoutPaths(copy[key], [rest.join('.')]);
  }
  return copy as Value;
}
