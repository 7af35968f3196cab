import type { DataSource, EntityMetadata, ObjectLiteral, UpdateEvent } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { isOwnSubscriber } from '../own-subscribers.js';
import type { Column } from './columns.js';

/** The columns of an entity whose values are known without reading the row again. */
export interface ReadBack {
  readonly metadata: EntityMetadata;
  /** Every column that a `find` fills. */
  readonly columns: readonly Column[];
  /** True if an entity may differ from the row that was inserted for it. */
  readonly differs: boolean;
}

/** The event of a row that was inserted. */
type Inserted = Pick<UpdateEvent<ObjectLiteral>, 'queryRunner'> &
  Partial<Pick<UpdateEvent<ObjectLiteral>, 'entity'>>;

/** @returns undefined when rows of this entity hold more than the values of plain columns */
export function planReadBack(metadata: EntityMetadata): ReadBack | undefined {
  if (!isPlain(metadata)) return undefined;
  // A column that no INSERT names has its default, whatever the entity says.
  const isIgnored = metadata.columns.some(({ isInsert, isVirtual }) => !isInsert && !isVirtual);
  return {
    metadata,
    columns: plainColumns(metadata),
    differs: isIgnored || metadata.afterInsertListeners.length > 0,
  };
}

/** Tells whether rows of an entity hold the values of plain columns alone. */
export function isPlain(metadata: EntityMetadata): boolean {
  return (
    metadata.embeddeds.length === 0 &&
    metadata.lazyRelations.length === 0 &&
    metadata.relationIds.length === 0 &&
    metadata.afterLoadListeners.length === 0 &&
    metadata.treeType === undefined &&
    metadata.discriminatorColumn === undefined &&
    metadata.columns.every(
      ({ isVirtualProperty, asExpression, generatedType }) =>
        !isVirtualProperty && asExpression === undefined && generatedType === undefined,
    )
  );
}

/** The columns of such an entity that are filled by a read. */
export function plainColumns({ columns }: EntityMetadata): readonly Column[] {
  return columns.filter(({ isSelect, isVirtual }) => isSelect && !isVirtual);
}

/**
 * The row that was inserted, as a read would answer it.
 *
 * @returns undefined when one may read back differently from how it was given
 */
export function insertedRow(
  { entity, queryRunner }: Inserted,
  readBack: ReadBack | undefined,
): ObjectLiteral | undefined {
  if (readBack === undefined || entity === undefined) return undefined;
  const dataSource = dataSourceOf(queryRunner);
  if (hasLoadHooks(dataSource) || mayDiffer(dataSource, readBack)) return undefined;
  if (changesDeclaredKey(readBack.metadata, entity)) return undefined;
  const { columns } = readBack;
  if (!columns.every((column) => readsBackTheSame(column, column.getEntityValue(entity)))) {
    return undefined;
  }
  const row = readBack.metadata.create() as ObjectLiteral;
  for (const column of columns) {
    const value: unknown = column.getEntityValue(entity);
    column.setEntityValue(row, value instanceof Date ? new Date(value) : value);
  }
  return row;
}

/** Tells whether a subscriber of TypeORM may put anything into the rows that are read. */
export function hasLoadHooks({ subscribers }: DataSource): boolean {
  return subscribers.some(({ afterLoad }) => afterLoad !== undefined);
}

/** Tells whether an entity may hold something else after its INSERT than was written. */
function mayDiffer({ subscribers }: DataSource, { metadata, differs }: ReadBack): boolean {
  if (differs) return true;
  const { target } = metadata;
  // A subscriber of the application gets the entity, and may put other values into it.
  return subscribers.some((subscriber) => {
    if (subscriber.afterInsert === undefined || isOwnSubscriber(subscriber)) return false;
    const to: unknown = subscriber.listenTo?.() ?? Object;
    return (
      to === Object ||
      to === target ||
      (typeof to === 'function' && typeof target === 'function' && to.isPrototypeOf(target))
    );
  });
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
  // TypeORM has already read the values that the database has filled in.
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
