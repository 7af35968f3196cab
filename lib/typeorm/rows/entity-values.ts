import type { ObjectLiteral } from 'typeorm';
import type { RelationMetadata } from './typeorm-types.js';

/** Sets a relation of a row. TypeORM's own setter merges into a related object, which other rows may share. */
export function setRelation(row: object, of: RelationMetadata, value: unknown): void {
  const path = of.propertyPath.split('.');
  const holder = path
    .slice(0, -1)
    .reduce<ObjectLiteral | undefined>((object, key) => object?.[key] as ObjectLiteral, row);
  if (holder !== undefined) holder[of.isLazy ? `__${of.propertyName}__` : of.propertyName] = value;
}

/** True of an object without a key: TypeORM gives a relation to no row as one, where it reads the ids of relations alone. */
export function isEmptyLink(related: unknown, { joinColumns }: RelationMetadata): boolean {
  if (typeof related !== 'object' || related === null) return false;
  return joinColumns.some(
    ({ referencedColumn }) => (referencedColumn!.getEntityValue(related) ?? null) === null,
  );
}
