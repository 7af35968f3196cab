import type { EntityMetadata } from 'typeorm';
import { relationsCutWith } from './cut-relations.js';
import type { CapturePlan } from './entity-plan.js';

/**
 * The entities whose writes may make events happen: those with events and all others in their tables, junction tables
 * whose links have events, and those whose rows such links lead to.
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
