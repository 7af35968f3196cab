import type { EntityMetadata } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import type { Column } from '../rows/row-key.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';
import type { PathSurvey } from './entity-paths.js';

/**
 * The relations that some paths go through for a key alone, which is in the row that refers.
 *
 * @returns undefined when one needs more of a related row
 */
export function keyRelations(
  surveyed: readonly PathSurvey[],
): readonly RelationMetadata[] | undefined {
  const relations = new Set<RelationMetadata>();
  for (const { relations: through, rest } of surveyed) {
    const [relation, ...further] = through;
    if (relation === undefined) continue;
    if (further.length > 0 || !isKeyEnough(relation, rest)) return undefined;
    relations.add(relation);
  }
  return [...relations];
}

/** True if the row of a key is there, and is the one that a join would find. */
function isKeyEnough(relation: RelationMetadata, path: string): boolean {
  const { isOwning, isManyToMany, joinColumns, inverseEntityMetadata: related } = relation;
  const column = joinColumns[0]?.referencedColumn;
  return (
    isOwning &&
    !isManyToMany &&
    joinColumns.length === 1 &&
    relation.createForeignKeyConstraints &&
    column?.propertyPath === path &&
    column.embeddedMetadata === undefined &&
    column.transformer === undefined &&
    isExact(column, related) &&
    !isFiltered(related)
  );
}

/** True unless the database may hold two texts for equal: then the key of the row differs from that of its reference. */
function isExact({ type, collation }: Column, related: EntityMetadata): boolean {
  const isText = type === String || /char|text/.test(String(type));
  if (!isText) return true;
  if (collation !== undefined || type === 'citext') return false;
  return !/^(?:mysql|mariadb)$/.test(dataSourceOf(related).options.type);
}

/** A join leaves out what is softly removed, and rows of other classes of a table. */
function isFiltered({ deleteDateColumn, discriminatorColumn }: EntityMetadata): boolean {
  return deleteDateColumn !== undefined || discriminatorColumn !== undefined;
}
