import type { ObjectLiteral } from 'typeorm';
import { isEmptyLink } from '../../capture/table/row-copy.js';
import type { RelationMetadata } from './typeorm-types.js';

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
