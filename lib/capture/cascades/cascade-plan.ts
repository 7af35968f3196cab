import type { EntityMetadata } from 'typeorm';
import type { CapturePlan, EntityPlan, LinkPlan } from '../plan/entity-plan.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';

/** A relation whose rows the database deletes or releases when the row that they refer to is deleted. */
export interface Cascade {
  /** The class of the rows that refer. */
  readonly metadata: EntityMetadata;
  readonly relation: RelationMetadata;
  /** `ON DELETE CASCADE` removes the rows, `SET NULL` releases them. */
  readonly does: 'remove' | 'release';
  /** The events of the rows; undefined when they matter only for what goes with them. */
  readonly plan: EntityPlan | undefined;
}

/** What is lost with the rows of one class. */
export interface Losses {
  readonly cascades: readonly Cascade[];
  /** The relations to rows of this class, of entities with events on them. */
  readonly links: readonly LinkPlan[];
}

/** What is lost with the rows of each class, as far as events are to tell of it. */
export type LossPlan = ReadonlyMap<EntityMetadata, Losses>;

/** @param follows tells whether the events of an entity are to be sent when a cascade removes or releases its rows */
export function planLosses(
  entities: readonly EntityMetadata[],
  { entities: plans, links }: CapturePlan,
  follows: (plan: EntityPlan) => boolean,
): LossPlan {
  const linkPlans = [...links.values()].flat();
  const all = new Map<EntityMetadata, Losses>();
  // Subclasses first, so that a row of one counts as that and not as one of its base.
  const referring = entities
    .filter(({ isJunction }) => !isJunction)
    .sort((one, other) => other.inheritanceTree.length - one.inheritanceTree.length);

  const lossesOf = (metadata: EntityMetadata): Losses => {
    const known = all.get(metadata);
    if (known !== undefined) return known;
    const cascades: Cascade[] = [];
    const losses = {
      cascades,
      links: linkPlans.filter(
        ({ relation }) =>
          isOf(metadata, relation.inverseEntityMetadata) && isCut(relation, metadata),
      ),
    };
    // Before its cascades are followed: they may lead back to it.
    all.set(metadata, losses);
    for (const other of referring) {
      const plan = plans.get(other);
      const followed = plan !== undefined && follows(plan) ? plan : undefined;
      for (const relation of other.relationsWithJoinColumns) {
        const does = actionOf(relation);
        if (does === undefined || !isOf(metadata, relation.inverseEntityMetadata)) continue;
        cascades.push({ metadata: other, relation, does, plan: followed });
        if (does === 'remove') lossesOf(other);
      }
    }
    return losses;
  };
  for (const metadata of referring) lossesOf(metadata);
  return relevant(all, follows);
}

/** Leaves out what no event tells of. */
function relevant(
  all: ReadonlyMap<EntityMetadata, Losses>,
  follows: (plan: EntityPlan) => boolean,
): LossPlan {
  const matters = (
    { does, plan, metadata }: Cascade,
    seen: ReadonlySet<EntityMetadata>,
  ): boolean => {
    if (does === 'release')
      return plan?.events.some(({ options }) => options.on === 'change') === true;
    if (plan?.events.some(({ options }) => options.on === 'delete') === true) return true;
    const { cascades, links } = all.get(metadata)!;
    if (links.some(({ entity }) => follows(entity))) return true;
    if (seen.has(metadata)) return false;
    const further = new Set([...seen, metadata]);
    return cascades.some((cascade) => matters(cascade, further));
  };
  const plan = new Map<EntityMetadata, Losses>();
  for (const [metadata, { cascades, links }] of all) {
    const kept = cascades.filter((cascade) => matters(cascade, new Set()));
    if (kept.length + links.length > 0) plan.set(metadata, { cascades: kept, links });
  }
  return plan;
}

function actionOf({
  onDelete,
  createForeignKeyConstraints,
}: RelationMetadata): Cascade['does'] | undefined {
  if (!createForeignKeyConstraints) return undefined;
  return onDelete === 'CASCADE' ? 'remove' : onDelete === 'SET NULL' ? 'release' : undefined;
}

/** Tells whether the links of a relation vanish with a row at its other end. */
function isCut(
  { junctionEntityMetadata: junction }: RelationMetadata,
  metadata: EntityMetadata,
): boolean {
  return junction!.foreignKeys.some(
    ({ onDelete, referencedEntityMetadata }) =>
      onDelete === 'CASCADE' && isOf(metadata, referencedEntityMetadata),
  );
}

function isOf({ inheritanceTree }: EntityMetadata, { target }: EntityMetadata): boolean {
  return inheritanceTree.some((type) => type === target);
}
