import type { EntityMetadata } from 'typeorm';
import type { CapturePlan, LinkPlan } from './entity-plan.js';

/** The relations with events whose links the database deletes with a row of a class at their other end. */
export function relationsCutWith(
  { links }: CapturePlan,
  metadata: EntityMetadata,
): readonly LinkPlan[] {
  return [...links.values()]
    .flat()
    .filter(
      ({ relation: { metadata: relation } }) =>
        isOf(metadata, relation.inverseEntityMetadata) &&
        relation.junctionEntityMetadata!.foreignKeys.some(
          ({ onDelete, referencedEntityMetadata }) =>
            onDelete === 'CASCADE' && isOf(metadata, referencedEntityMetadata),
        ),
    );
}

function isOf({ inheritanceTree }: EntityMetadata, { target }: EntityMetadata): boolean {
  return inheritanceTree.some((type) => type === target);
}
