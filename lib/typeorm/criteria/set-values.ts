import type { EntityMetadata, ObjectLiteral } from 'typeorm';
import type { ChangedValue } from '../rows/entity-values.js';
import { UNKNOWN_VALUE } from '../../capture/table/row-table.js';
import type { Column, RelationMetadata } from '../rows/columns.js';

/** The values that an update sets. */
export interface SetValues {
  readonly values: readonly ChangedValue[];
  /** The columns among them that stand for themselves. */
  readonly columns: readonly Column[];
  /** The relations among them, whose keys the row holds. */
  readonly relations: readonly RelationMetadata[];
}

/**
 * The columns and relations that values set, as `set()` of a query builder and `insert()` take them. The value of an SQL
 * expression is unknown.
 */
export function setValuesOf(metadata: EntityMetadata, given: ObjectLiteral): SetValues {
  const set = metadata.columns.filter((column) => isSet(column, given));
  const columns = set.filter(({ isVirtual }) => !isVirtual);
  const relations = [
    ...new Set(set.filter(isKeyOfRelation).map(({ relationMetadata }) => relationMetadata!)),
  ];
  return {
    columns,
    relations,
    values: [
      ...columns.map((of) => ({ of, value: known(valueOf(of, given)) })),
      ...relations.map((of) => ({ of, value: known(linkedTo(of, given)) })),
    ],
  };
}

/** Tells whether values set none of the columns that a row has. */
export function isNothingSet({ columns }: EntityMetadata, given: ObjectLiteral): boolean {
  return !columns.some(
    (column) => (!column.isVirtual || isKeyOfRelation(column)) && isSet(column, given),
  );
}

function isSet(column: Column, given: ObjectLiteral): boolean {
  return column.isUpdate && valueOf(column, given) !== undefined;
}

function valueOf(column: Column, given: ObjectLiteral): unknown {
  const value: unknown = column.getEntityValue(given);
  if (value !== undefined) return value;
  // A key that is a property as well is set by its relation.
  return column.relationMetadata?.getEntityValue(given) === null ? null : undefined;
}

/** The value that values set a column to; undefined when they do not. */
export function setValueOf(column: Column, given: ObjectLiteral): unknown {
  return isSet(column, given) ? known(valueOf(column, given)) : undefined;
}

/** True for a column that an entity has only through its relation. */
function isKeyOfRelation({ isVirtual, relationMetadata }: Column): boolean {
  return isVirtual && relationMetadata !== undefined;
}

function known(value: unknown): unknown {
  return typeof value === 'function' ? UNKNOWN_VALUE : value;
}

/** The row at the other end, as far as its key: an object, null, or an SQL expression. */
function linkedTo({ joinColumns }: RelationMetadata, given: ObjectLiteral): unknown {
  const id: ObjectLiteral = {};
  for (const column of joinColumns) {
    const value: unknown = column.getEntityValue(given);
    if (value === null || typeof value === 'function') return value;
    column.referencedColumn!.setEntityValue(id, value);
  }
  return id;
}
