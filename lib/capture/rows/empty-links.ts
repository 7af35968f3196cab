import type { EntityMetadata, ObjectLiteral } from 'typeorm';
import { copyRow, setValue } from './row-copy.js';
import type { RelationMetadata } from './typeorm-types.js';

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
