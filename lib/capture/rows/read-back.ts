import type { DataSource, EntityMetadata, ObjectLiteral, UpdateEvent } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { isOwnSubscriber } from '../../sqlite/index.js';
import type { ChangedValue, RowWrite } from './changed-values.js';
import type { Column } from './row-key.js';

/** The columns of an entity whose values are known without reading the row again. */
export interface ReadBack {
  readonly metadata: EntityMetadata;
  /** Every column that a `find` fills. */
  readonly columns: readonly Column[];
  /** Columns that hold the key of a relation alone. */
  readonly keys: readonly Column[];
  /** Columns that TypeORM itself keeps, and puts into the saved entity. */
  readonly maintained: readonly Column[];
  /** The writes after which an entity may hold something else than was written. */
  readonly differs: ReadonlySet<RowWrite>;
}

type Written = Pick<UpdateEvent<ObjectLiteral>, 'queryRunner'> &
  Partial<Pick<UpdateEvent<ObjectLiteral>, 'entity' | 'updatedColumns'>>;

/** @returns undefined when rows of this entity hold more than the values of plain columns */
export function planReadBack(metadata: EntityMetadata): ReadBack | undefined {
  const { columns } = metadata;
  const computed =
    metadata.embeddeds.length > 0 ||
    metadata.lazyRelations.length > 0 ||
    metadata.relationIds.length > 0 ||
    metadata.afterLoadListeners.length > 0 ||
    metadata.treeType !== undefined ||
    metadata.discriminatorColumn !== undefined ||
    columns.some(
      ({ isVirtualProperty, asExpression, generatedType }) =>
        isVirtualProperty || asExpression !== undefined || generatedType !== undefined,
    );
  if (computed) return undefined;
  const differs = new Set<RowWrite>();
  // A column that no INSERT names has its default, whatever the entity says.
  const isIgnored = columns.some(({ isInsert, isVirtual }) => !isInsert && !isVirtual);
  if (isIgnored || metadata.afterInsertListeners.length > 0) differs.add('insert');
  // One that no UPDATE names either is the database's to compute.
  const isComputed = columns.some(
    ({ isInsert, isUpdate, isVirtual, isCreateDate }) =>
      !isInsert && !isUpdate && !isVirtual && !isCreateDate,
  );
  if (isComputed || metadata.afterUpdateListeners.length > 0) differs.add('update');
  return {
    differs,
    metadata,
    columns: columns.filter(({ isSelect, isVirtual }) => isSelect && !isVirtual),
    keys: columns.filter(
      ({ isVirtual, relationMetadata }) => isVirtual && relationMetadata?.joinColumns.length === 1,
    ),
    maintained: columns.filter(({ isUpdateDate, isVersion }) => isUpdateDate || isVersion),
  };
}

/**
 * The values that were inserted, or that an update has set, as a read would answer them.
 *
 * @returns undefined when one may read back differently from how it was given
 */
export function exactValues(
  { entity, updatedColumns = [], queryRunner }: Written,
  readBack: ReadBack | undefined,
  did: RowWrite,
): readonly ChangedValue[] | undefined {
  if (readBack === undefined || entity === undefined) return undefined;
  if (hasLoadHooks(dataSourceOf(queryRunner))) return undefined;
  if (did === 'insert') return insertedValues(readBack, entity);
  return did === 'update' ? updatedValues(readBack, entity, updatedColumns) : undefined;
}

/** Tells whether a subscriber of TypeORM may put anything into the rows that are read. */
export function hasLoadHooks({ subscribers }: DataSource): boolean {
  return subscribers.some(({ afterLoad }) => afterLoad !== undefined);
}

/** Tells whether an entity may hold something else after a write than was written. */
export function mayDiffer(
  { queryRunner }: Written,
  { metadata: { target }, differs }: ReadBack,
  did: RowWrite,
): boolean {
  if (differs.has(did)) return true;
  const { subscribers } = dataSourceOf(queryRunner);
  // One of the application is given the entity, and may put something else into it.
  const hook = did === 'insert' ? 'afterInsert' : 'afterUpdate';
  return subscribers.some((subscriber) => {
    if (subscriber[hook] === undefined || isOwnSubscriber(subscriber)) return false;
    const to: unknown = subscriber.listenTo?.() ?? Object;
    return (
      to === Object ||
      to === target ||
      (typeof to === 'function' && typeof target === 'function' && to.isPrototypeOf(target))
    );
  });
}

function insertedValues(
  { metadata, columns, keys }: ReadBack,
  entity: ObjectLiteral,
): ChangedValue[] | undefined {
  if (changesDeclaredKey(metadata, entity)) return undefined;
  const values = valuesOf(columns, entity);
  for (const of of keys) {
    const value: unknown = of.getEntityValue(entity);
    if (readsBackTheSame(of, value)) values?.push({ of, value });
  }
  return values;
}

function updatedValues(
  { metadata, maintained }: ReadBack,
  entity: ObjectLiteral,
  updated: readonly Column[],
): ChangedValue[] | undefined {
  if (changesDeclaredKey(metadata, entity)) return undefined;
  const columns = updated.filter(
    (column) => column.isSelect && column.isUpdate && !maintained.includes(column),
  );
  return valuesOf(maintained.length === 0 ? columns : [...columns, ...maintained], entity);
}

function valuesOf(columns: readonly Column[], entity: ObjectLiteral): ChangedValue[] | undefined {
  const values: ChangedValue[] = [];
  for (const of of columns) {
    const value: unknown = of.getEntityValue(entity);
    if (!readsBackTheSame(of, value)) return undefined;
    values.push({ of, value: value instanceof Date ? new Date(value) : value });
  }
  return values;
}

/** A key that is a column of its own follows its relation in the database, not in the entity. */
function changesDeclaredKey({ relationsWithJoinColumns }: EntityMetadata, entity: ObjectLiteral) {
  return relationsWithJoinColumns.some(
    (relation) =>
      relation.joinColumns.some(({ isVirtual }) => !isVirtual) &&
      relation.getEntityValue(entity) !== undefined,
  );
}

const TEXT = new Set<unknown>([String, 'varchar', 'character varying', 'text', 'citext']);
const INTEGER = new Set<unknown>([
  Number,
  ...['int', 'integer', 'int2', 'int4', 'tinyint', 'smallint', 'mediumint'],
]);
const BOOLEAN = new Set<unknown>([Boolean, 'boolean', 'bool']);
/** A date that was given by hand comes back from these without its time. */
const MAY_CUT_DATES = new Set<unknown>(['date', 'time', 'timetz', 'year']);
const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Tells whether a database answers exactly this value for it: decimals, bigints, dates and JSON come back in another form. */
export function readsBackTheSame(column: Column, value: unknown): boolean {
  // What the database has filled in, TypeORM has read from it already.
  if (column.isUpdateDate || column.isCreateDate) {
    return value instanceof Date && !MAY_CUT_DATES.has(column.type) && keepsMilliseconds(column);
  }
  if (column.transformer !== undefined || column.isArray) return false;
  if (value === null) return true;
  switch (typeof value) {
    case 'string':
      if (column.type === 'uuid') return CANONICAL_UUID.test(value);
      return (
        (TEXT.has(column.type) &&
          (column.length === '' || value.length <= Number(column.length))) ||
        (column.enum?.includes(value) ?? false)
      );
    case 'number':
      return (
        (INTEGER.has(column.type) || column.isVersion) &&
        Number.isSafeInteger(value) &&
        !Object.is(value, -0)
      );
    case 'boolean':
      return BOOLEAN.has(column.type);
    default:
      return false;
  }
}

function keepsMilliseconds({ precision }: Column): boolean {
  return precision === undefined || precision === null || precision >= 3;
}
