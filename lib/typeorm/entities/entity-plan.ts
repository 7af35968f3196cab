import type { DataSource, EntityMetadata } from 'typeorm';
import type { CaptureBy } from '../../event/bulk-settings.js';
import {
  captureOf,
  columnsNamed,
  entityEventsOf,
  isEntityClass,
} from '../../event/entity-events.js';
import {
  type LinkPlan as PlainLinkPlan,
  linkRelations,
  planTable,
  tablesOf,
  type TablePlan,
} from '../../capture/plan/event-plan.js';
import { checkColumnSettings } from '../../capture/plan/hidden-columns.js';
import { planReadBack, type ReadBack } from '../rows/read-back.js';
import { type EntityRelation, type EntityTable, EntityTables, metadataOf } from './entity-table.js';
import { checkKeys, checkPrivateColumns } from './column-checks.js';

/** The events of one entity in one data source. */
export interface EntityPlan extends TablePlan {
  readonly table: EntityTable;
  readonly metadata: EntityMetadata;
  /** Undefined when rows are always read again. */
  readonly readBack: ReadBack | undefined;
}

/** A many-to-many relation that an entity has events on. */
export interface LinkPlan extends PlainLinkPlan {
  readonly entity: EntityPlan;
  readonly relation: EntityRelation;
}

/**
 * The events of every entity of a data source. It is empty before the data source is initialised, and made again each
 * time.
 */
export interface CapturePlan {
  entities: ReadonlyMap<EntityMetadata, EntityPlan>;
  /** The links, by the metadata of their junction table. */
  links: ReadonlyMap<EntityMetadata, readonly LinkPlan[]>;
}

/** @throws {@link ThornConfigurationError} when an event names a relation that its entity does not have */
export function planCapture(dataSource: DataSource): CapturePlan {
  const tables = new EntityTables();
  const entities = new Map<EntityMetadata, EntityPlan>();
  const links = new Map<EntityMetadata, LinkPlan[]>();
  for (const metadata of dataSource.entityMetadatas) {
    const { target } = metadata;
    if (!isEntityClass(target) || metadata.isJunction) continue;
    const table = tables.of(metadata);
    checkColumnSettings(table, {
      hidden: columnsNamed(target, 'hidden'),
      notSecret: columnsNamed(target, 'notSecret'),
    });
    const planned = planTable(table, entityEventsOf(target));
    if (planned === undefined) continue;
    for (const read of new Set(planned.events.flatMap(tablesOf))) {
      checkPrivateColumns(metadataOf(read));
    }
    checkKeys(metadata, dataSource);
    const plan = { ...planned, table, metadata, readBack: planReadBack(metadata) };
    entities.set(metadata, plan);
    for (const path of linkRelations(entityEventsOf(target))) {
      if (isInherited(path, metadata)) continue;
      const relation = table.relations.find((one) => one.path === path)!;
      const junction = relation.metadata.junctionEntityMetadata!;
      links.set(junction, [...(links.get(junction) ?? []), { entity: plan, relation }]);
    }
  }
  return { entities, links };
}

/** Splits events into those that hooks notice and those that triggers of the database report. */
export function splitByCapture(
  { entities, links }: CapturePlan,
  fallback: CaptureBy,
): Readonly<Record<CaptureBy, CapturePlan>> {
  const of = (capture: CaptureBy): CapturePlan => {
    const isOf = ({ metadata: { target } }: EntityPlan): boolean =>
      ((isEntityClass(target) ? captureOf(target) : undefined) ?? fallback) === capture;
    const ofLinks = [...links].map(
      ([junction, plans]) => [junction, plans.filter(({ entity }) => isOf(entity))] as const,
    );
    return {
      entities: new Map([...entities].filter(([, plan]) => isOf(plan))),
      links: new Map(ofLinks.filter(([, plans]) => plans.length > 0)),
    };
  };
  return { hooks: of('hooks'), triggers: of('triggers') };
}

// With single-table inheritance, base class and subclasses share a junction table: the plan of the base class covers
// all of them.
function isInherited(relation: string, metadata: EntityMetadata): boolean {
  const parent = metadata.parentEntityMetadata as EntityMetadata | undefined;
  const target: unknown = parent?.target;
  return (
    parent?.findRelationWithPropertyPath(relation) !== undefined &&
    isEntityClass(target) &&
    linkRelations(entityEventsOf(target)).has(relation)
  );
}
