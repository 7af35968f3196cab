import {
  type FieldValue,
  UNKNOWN_VALUE,
  type Column,
  type Field,
  keyedRelations,
  type Row,
  type RowTable,
} from './row-table.js';

/**
 * Copies a row, so that columns of the copy can be set without changing the row. Getters are not called: the getter of
 * a lazy relation would start a query.
 */
export function copyRow(row: object, table: RowTable): Row {
  const copy = copyOf(row, table);
  for (const path of table.embedded) {
    const [holder, name] = holderOf(copy, path);
    const value = holder?.[name];
    if (typeof value === 'object' && value !== null) holder![name] = assign(likeIt(value), value);
  }
  return copy;
}

/** The old row with the changed values laid over it. */
export function layOver(old: object, values: Iterable<FieldValue>, table: RowTable): Row {
  const row = copyRow(old, table);
  for (const { of, value } of values) {
    if (value !== UNKNOWN_VALUE) of.set(row, value);
  }
  return row;
}

/** The old row without its relations, of which only the ids may be known. */
export function withoutRelations(row: object, table: RowTable): Row {
  const copy = copyRow(row, table);
  for (const relation of table.relations) {
    if (relation.get(copy) !== undefined) relation.set(copy, undefined);
  }
  return copy;
}

/** The row without the values at `paths`: values that were read for a path, but that the payload must not see. */
export function withoutPaths<Value>(
  value: Value,
  paths: readonly string[],
  table: RowTable | undefined,
): Value {
  if (paths.length === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item: unknown) => withoutPaths(item, paths, table)) as Value;
  }
  const copy: Row = table === undefined ? assign(likeIt(value), value) : copyOf(value, table);
  for (const path of paths) if (!path.includes('.')) Reflect.deleteProperty(copy, path);
  for (const path of paths) {
    const [key, ...rest] = path.split('.') as [string, ...string[]];
    if (rest.length === 0) continue;
    // A lazy relation has a promise under its name, and beside it the rows.
    const held = Object.hasOwn(copy, `__${key}__`) ? `__${key}__` : key;
    if (!Object.hasOwn(copy, held)) continue;
    const relation = table?.relations.find((one) => one.path === key);
    copy[held] = withoutPaths(copy[held], [rest.join('.')], relation?.target);
  }
  return copy as Value;
}

/** The row with the fields that it lacks, taken from another copy of the same row. */
export function supplied(
  row: object,
  other: object,
  fields: Iterable<Field>,
  table: RowTable,
): object {
  const lacking = [...fields].filter(
    (field) => field.get(row) === undefined && field.get(other) !== undefined,
  );
  if (lacking.length === 0) return row;
  const copy = copyRow(row, table);
  for (const field of lacking) field.set(copy, field.get(other));
  return copy;
}

/** True of an object without a key: some ORMs give a relation to no row as one. */
export function isEmptyLink(
  related: unknown,
  { key }: { readonly key: readonly Pick<Column, 'get'>[] },
): boolean {
  if (typeof related !== 'object' || related === null) return false;
  return key.some((column) => (column.get(related) ?? null) === null);
}

/** A row with null for each relation to no row. */
export function withoutEmptyLinks(row: object, table: RowTable): object {
  const empty = keyedRelations(table).filter((relation) =>
    isEmptyLink(relation.get(row), relation),
  );
  if (empty.length === 0) return row;
  const copy = copyRow(row, table);
  for (const relation of empty) relation.set(copy, null);
  return copy;
}

/** A row with one more property, for conditions that read it. */
export function withChanges(row: object, changes: unknown, table: RowTable): Row {
  const copy = copyOf(row, table);
  return Object.defineProperty(copy, 'changes', { value: changes, enumerable: true });
}

/**
 * Makes a copy of the row's own class, so that its getters and methods work in payloads and conditions. It calls the
 * constructor where that works, because methods may need private fields. Properties that the constructor sets are
 * removed again, and the properties of the row are copied.
 */
function copyOf(row: object, table: RowTable): Row {
  const prototype: unknown = Object.getPrototypeOf(row);
  if (prototype === Object.prototype || prototype === null) return assign({}, row);
  let copy: object;
  try {
    copy = table.emptyLike(row);
  } catch {
    // The constructor of the application failed: the copy is made without it.
    copy = likeIt(row);
  }
  for (const key of Object.keys(copy)) {
    // The constructor's own.
    if (!Object.hasOwn(row, key)) Reflect.deleteProperty(copy, key);
  }
  return assign(copy, row, table.hasAccessors);
}

function likeIt(object: object): object {
  return Object.create(Object.getPrototypeOf(object) as object | null) as object;
}

// Without accessors it is four times as fast, and every save with an event copies a row.
function assign(copy: object, row: object, hasAccessors = false): Row {
  return (
    hasAccessors
      ? Object.defineProperties(copy, Object.getOwnPropertyDescriptors(row))
      : Object.assign(copy, row)
  ) as Row;
}

/** The object that has a property at a path, and the name of the property there. */
function holderOf(row: Row, path: string): [Row | undefined, string] {
  const steps = path.split('.');
  const name = steps.pop()!;
  let holder: unknown = row;
  for (const step of steps) holder = (holder as Row | null | undefined)?.[step];
  return [holder as Row | undefined, name];
}
