import type { ObjectLiteral, EntityMetadata, UpdateEvent } from 'typeorm';
import { isEmptyLink } from '../../capture/table/row-copy.js';
import type { RelationMetadata, Column } from './columns.js';
import { UNKNOWN_VALUE } from '../../capture/table/row-table.js';

/** Sets a relation of a row. TypeORM's own setter merges into a related object, which other rows may share. */
export function setRelation(row: object, of: RelationMetadata, value: unknown): void {
  const path = of.propertyPath.split('.');
  const holder = path
    .slice(0, -1)
    .reduce<ObjectLiteral | undefined>((object, key) => object?.[key] as ObjectLiteral, row);
  if (holder !== undefined) holder[of.isLazy ? `__${of.propertyName}__` : of.propertyName] = value;
}

/** Gives a row null for each relation to no row: TypeORM reads an object without a key, where it reads the ids of relations alone. */
export function setEmptyLinks(row: object, relations: readonly RelationMetadata[]): void {
  for (const relation of relations) {
    const key = relation.joinColumns.map(({ referencedColumn }) => ({
      get: (related: object): unknown => referencedColumn!.getEntityValue(related),
    }));
    if (isEmptyLink(relation.getEntityValue(row), { key })) setRelation(row, relation, null);
  }
}

/** A column or relation that an update has set, with the value at that moment: the entity may change afterwards. */
export interface ChangedValue {
  readonly of: Column | RelationMetadata;
  readonly value: unknown;
}

/** For a row that is inserted with a date of soft removal: that date. For any other row nothing. */
export function removalOf(
  { deleteDateColumn }: EntityMetadata,
  row: ObjectLiteral,
): ChangedValue[] {
  const value: unknown = deleteDateColumn?.getEntityValue(row);
  if (deleteDateColumn === undefined || value === undefined || value === null) return [];
  return [{ of: deleteDateColumn, value: typeof value === 'function' ? UNKNOWN_VALUE : value }];
}

/** The values that an update has set, each column and relation once. */
export function changedValues({
  entity,
  updatedColumns = [],
  updatedRelations = [],
}: Partial<UpdateEvent<ObjectLiteral>>): ChangedValue[] {
  if (entity === undefined) return [];
  return [...new Set([...updatedColumns, ...updatedRelations])].map((of) => ({
    of,
    value: of.getEntityValue(entity) as unknown,
  }));
}
