import type { EntityMetadata } from 'typeorm';
import type { CapturePlan, LinkPlan } from './entity-plan.js';

/**
 * The entities whose writes may cause events: entities with events and all entities in their tables, junction tables
 * whose links have events, and entities whose rows such links lead to.
 */
export function affectingEntities(
  all: readonly EntityMetadata[],
  plan: CapturePlan,
): ReadonlySet<EntityMetadata> {
  const { entities, links } = plan;
  const tables = new Set([...entities.keys()].map(({ tablePath }) => tablePath));
  for (const metadata of all) {
    if (relationsCutWith(plan, metadata).length > 0) tables.add(metadata.tablePath);
  }
  return new Set(all.filter((metadata) => tables.has(metadata.tablePath) || links.has(metadata)));
}

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
