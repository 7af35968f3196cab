import type { EntityMetadata } from 'typeorm';
import type { CapturePlan, EntityPlan, LinkPlan } from '../entities/entity-plan.js';
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

/** The effects of a removal of rows of one class. */
export interface RemovalEffects {
  readonly cascades: readonly Cascade[];
  /** The relations to rows of this class, of entities with events on them. */
  readonly links: readonly LinkPlan[];
}

/** The effects of a removal for each class, as far as events report them. */
export type CascadePlan = ReadonlyMap<EntityMetadata, RemovalEffects>;

/** @param follows tells whether the events of an entity are to be sent when a cascade removes or releases its rows */
export function planCascades(
  entities: readonly EntityMetadata[],
  { entities: plans, links }: CapturePlan,
  follows: (plan: EntityPlan) => boolean,
): CascadePlan {
  const linkPlans = [...links.values()].flat();
  const all = new Map<EntityMetadata, RemovalEffects>();
  // Subclasses first, so that a row of one counts as that and not as one of its base.
  const referring = entities
    .filter(({ isJunction }) => !isJunction)
    .sort((one, other) => other.inheritanceTree.length - one.inheritanceTree.length);

  const effectsOf = (metadata: EntityMetadata): RemovalEffects => {
    const known = all.get(metadata);
    if (known !== undefined) return known;
    const cascades: Cascade[] = [];
    const effects = {
      cascades,
      links: linkPlans.filter(
        ({ relation: { metadata: relation } }) =>
          isOf(metadata, relation.inverseEntityMetadata) && isCut(relation, metadata),
      ),
    };
    // Before its cascades are followed: they may lead back to it.
    all.set(metadata, effects);
    for (const other of referring) {
      const plan = plans.get(other);
      const followed = plan !== undefined && follows(plan) ? plan : undefined;
      for (const relation of other.relationsWithJoinColumns) {
        const does = actionOf(relation);
        if (does === undefined || !isOf(metadata, relation.inverseEntityMetadata)) continue;
        cascades.push({ metadata: other, relation, does, plan: followed });
        if (does === 'remove') effectsOf(other);
      }
    }
    return effects;
  };
  for (const metadata of referring) effectsOf(metadata);
  return relevant(all, follows);
}

/** Leaves out effects that no event reports. */
function relevant(
  all: ReadonlyMap<EntityMetadata, RemovalEffects>,
  follows: (plan: EntityPlan) => boolean,
): CascadePlan {
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
  const plan = new Map<EntityMetadata, RemovalEffects>();
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
