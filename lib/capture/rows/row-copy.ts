import type { EntityMetadata, ObjectLiteral } from 'typeorm';
import { type ChangedValue, UNKNOWN_VALUE } from './changed-values.js';
import type { Column } from './row-key.js';
import type { Field, RelationMetadata } from './typeorm-types.js';

/** What objects are made of: entities, and the objects that are embedded in them. */
type Shape = EntityMetadata | EntityMetadata['embeddeds'][number];

/**
 * A copy whose columns can be set without the original's changing. Does not touch getters other than those of columns: those
 * of lazy relations would start a query.
 */
export function copyRow<Row extends object>(row: Row, shape: Shape): Row {
  const copy = copyWithout(row, shape, NONE);
  for (const embedded of shape.embeddeds) {
    const value = (copy as Record<string, unknown>)[embedded.propertyName];
    if (typeof value === 'object' && value !== null) {
      (copy as Record<string, unknown>)[embedded.propertyName] = copyRow(value, embedded);
    }
  }
  return copy;
}

/** The old row with the changed values laid over it. */
export function layOver(
  old: ObjectLiteral,
  values: Iterable<ChangedValue>,
  metadata: EntityMetadata,
): ObjectLiteral {
  const row = copyRow(old, metadata);
  for (const { of, value } of values) {
    if (value !== UNKNOWN_VALUE) setValue(row, of, value);
  }
  return row;
}

/** Sets a column or a relation. TypeORM's own setter merges into a related object, which other rows may share. */
export function setValue(row: ObjectLiteral, of: Column | RelationMetadata, value: unknown): void {
  if (!('inverseEntityMetadata' in of)) {
    of.setEntityValue(row, value);
    return;
  }
  const path = of.propertyPath.split('.');
  const holder = path
    .slice(0, -1)
    .reduce<ObjectLiteral | undefined>((object, key) => object?.[key] as ObjectLiteral, row);
  if (holder !== undefined) holder[of.isLazy ? `__${of.propertyName}__` : of.propertyName] = value;
}

/**
 * An old row as far as it is known in full: without the relations, of which TypeORM's own old row has the ids only.
 */
export function withoutRelations(row: ObjectLiteral, metadata: EntityMetadata): ObjectLiteral {
  const copy = copyRow(row, metadata);
  for (const relation of metadata.relations) {
    if (relation.getEntityValue(copy) !== undefined) setValue(copy, relation, undefined);
  }
  return copy;
}

/** A row without the values at `paths`: what a path named but TypeORM keeps out of rows is not the payload's to see. */
export function withoutPaths<Value>(value: Value, paths: readonly string[], shape: Shape): Value {
  if (paths.length === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item: unknown) => withoutPaths(item, paths, shape)) as Value;
  }
  const copy = copyWithout(
    value,
    shape,
    paths.filter((path) => !path.includes('.')),
  ) as Record<string, unknown>;
  for (const path of paths) {
    const [key, ...rest] = path.split('.') as [string, ...string[]];
    const within = rest.length === 0 ? undefined : shapeWithin(shape, key);
    const accessors = accessorsOf(shape, Object.getPrototypeOf(copy) as object | null);
    const held = isLazy(shape, key) ? `__${key}__` : key;
    if (within !== undefined && (Object.hasOwn(copy, held) || accessors.includes(held))) {
      copy[held] = withoutPaths(copy[held], [rest.join('.')], within);
    }
  }
  return copy as Value;
}

/** A row with those of some fields that it lacks, as another row of the same has them. */
export function supplied(
  row: ObjectLiteral,
  other: ObjectLiteral,
  fields: Iterable<Field>,
  metadata: EntityMetadata,
): ObjectLiteral {
  const lacking = [...fields].filter(
    (field) => field.getEntityValue(row) === undefined && field.getEntityValue(other) !== undefined,
  );
  if (lacking.length === 0) return row;
  const copy = copyRow(row, metadata);
  for (const field of lacking) setValue(copy, field, field.getEntityValue(other));
  return copy;
}

/** True of an object without a key: TypeORM gives a relation to no row as one, where it reads the ids of relations alone. */
export function isEmptyLink(related: unknown, { joinColumns }: RelationMetadata): boolean {
  if (typeof related !== 'object' || related === null) return false;
  return joinColumns.some(
    ({ referencedColumn }) => (referencedColumn!.getEntityValue(related) ?? null) === null,
  );
}

/** A row with null for each relation to no row. */
export function withoutEmptyLinks(row: ObjectLiteral, metadata: EntityMetadata): ObjectLiteral {
  const empty = metadata.relationsWithJoinColumns.filter((relation) =>
    isEmptyLink(relation.getEntityValue(row), relation),
  );
  if (empty.length === 0) return row;
  const copy = copyRow(row, metadata);
  for (const relation of empty) setValue(copy, relation, null);
  return copy;
}

/** A row with one more property, for conditions that read it. */
export function withChanges<Row extends object>(row: Row, changes: unknown, shape: Shape): Row {
  const copy = copyWithout(row, shape, NONE);
  return Object.defineProperty(copy, 'changes', { value: changes, enumerable: true });
}

const NONE: readonly string[] = [];

function shapeWithin(shape: Shape, key: string): Shape | undefined {
  return (
    shape.embeddeds.find(({ propertyName }) => propertyName === key) ??
    shape.relations.find(({ propertyName }) => propertyName === key)?.inverseEntityMetadata
  );
}

/** True of a relation that TypeORM keeps behind a promise, beside which it holds the rows. */
function isLazy({ relations }: Shape, key: string): boolean {
  return relations.some((relation) => relation.propertyName === key && relation.isLazy);
}

/** A copy without some properties. */
function copyWithout<Row extends object>(row: Row, shape: Shape, without: readonly string[]): Row {
  try {
    return fill(emptyLike(row, shape), row, shape, without);
  } catch {
    // A constructor or a setter of the application: the copy goes without what they make.
    return assign(Object.create(Object.getPrototypeOf(row) as object | null) as Row, row, without);
  }
}

function fill<Row extends object>(
  copy: Row,
  row: Row,
  shape: Shape,
  without: readonly string[],
): Row {
  for (const key of Object.keys(copy)) {
    // The constructor's own.
    if (!Object.hasOwn(row, key)) Reflect.deleteProperty(copy, key);
  }
  assign(copy, row, without, 'lazyRelations' in shape && shape.lazyRelations.length === 0);
  for (const key of accessorsOf(shape, Object.getPrototypeOf(row) as object | null)) {
    if (Object.hasOwn(row, key) || without.includes(key)) continue;
    const value = Reflect.get(row, key) as unknown;
    if (value !== undefined) Reflect.set(copy, key, value);
  }
  return copy;
}

/** @param isPlain true if no property is an accessor: that is four times as fast, and every save with an event copies a row */
function assign<Row extends object>(
  copy: Row,
  row: Row,
  without: readonly string[],
  isPlain = false,
): Row {
  if (isPlain) Object.assign(copy, row);
  else Object.defineProperties(copy, Object.getOwnPropertyDescriptors(row));
  for (const key of without) Reflect.deleteProperty(copy, key);
  return copy;
}

/**
 * An object of the same class, as TypeORM makes those that it reads: private fields are there when the constructor was
 * called.
 */
function emptyLike<Row extends object>(row: Row, shape: Shape): Row {
  const prototype = Object.getPrototypeOf(row) as object | null;
  if (prototype !== Object.prototype && prototype !== null) {
    const made = created(shapeOf(prototype, shape));
    if (Object.getPrototypeOf(made) === prototype) return made as Row;
  }
  return Object.create(prototype) as Row;
}

function created(shape: Shape): object {
  return 'lazyRelations' in shape
    ? (shape.create(undefined, { fromDeserializer: true }) as object)
    : (shape.create() as object);
}

/** With single-table inheritance, TypeORM makes each row an instance of its own class. */
function shapeOf({ constructor }: object, shape: Shape): Shape {
  if (!('lazyRelations' in shape) || shape.target === constructor) return shape;
  return shape.childEntityMetadatas.find(({ target }) => target === constructor) ?? shape;
}

const knownAccessors = new WeakMap<object, readonly string[]>();

/** The columns, relations and embedded objects that a class keeps behind accessors, as with private fields. */
function accessorsOf(shape: Shape, prototype: object | null): readonly string[] {
  if (prototype === null || prototype === Object.prototype) return NONE;
  let names = knownAccessors.get(prototype);
  if (names === undefined) {
    const columns = 'lazyRelations' in shape ? shape.ownColumns : shape.columns;
    const fields = [...columns, ...shape.relations, ...shape.embeddeds];
    names = [...new Set(fields.map(({ propertyName }) => propertyName))].filter((name) =>
      isAccessor(prototype, name),
    );
    knownAccessors.set(prototype, names);
  }
  return names;
}

function isAccessor(prototype: object | null, name: string): boolean {
  if (prototype === null) return false;
  const property = Object.getOwnPropertyDescriptor(prototype, name);
  return property === undefined
    ? isAccessor(Object.getPrototypeOf(prototype) as object | null, name)
    : property.get !== undefined && property.set !== undefined;
}
