import type { EntityMetadata } from 'typeorm';
import type { CapturePlan } from './entity-plan.js';

/**
 * The entities whose writes may make events happen: those with events and all others in their tables, junction tables
 * whose links have events, and those whose removal changes rows that have events.
 *
 * @param changesOthers tells the last ones
 */
export function affectingEntities(
  all: readonly EntityMetadata[],
  { entities, links }: CapturePlan,
  changesOthers: (metadata: EntityMetadata) => boolean,
): ReadonlySet<EntityMetadata> {
  const tables = new Set([...entities.keys()].map(({ tablePath }) => tablePath));
  return new Set(
    all.filter(
      (metadata) =>
        tables.has(metadata.tablePath) || links.has(metadata) || changesOthers(metadata),
    ),
  );
}
