import type { DataSource, EntityMetadata } from 'typeorm';
import { shownNames } from '../../common/log/error-text.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { compileCondition } from '../../event/conditions/condition-compile.js';
import type { CompiledCondition } from '../../event/conditions/condition.js';
import {
  type DeclaredEntityEvent,
  entityEventsOf,
  isEntityClass,
  type RecordedOptions,
  type RecordedTrigger,
  triggersOf,
} from '../../event/entity-events.js';
import { compileEventName, type EventName } from '../../event/event-name.js';
import { messageSettings, type MessageSettings } from '../../message/index.js';
import {
  eagerRelations,
  fieldKind,
  fieldNames,
  joinsOf,
  onlyOwnKeys,
  surveyPath,
  withEagerRelations,
} from './entity-paths.js';
import {
  changeableNames,
  changeKind,
  changeNames,
  hiddenFields,
  watchedFields,
} from './changed-fields.js';
import {
  checkColumnSettings,
  concealedPaths,
  hiddenNames,
  unreportedFields,
} from './hidden-columns.js';
import { type OrderPlan, planOrder } from './order-plan.js';
import { checkPaths } from './path-checks.js';
import { planReadBack, type ReadBack } from '../rows/read-back.js';
import { templateFields } from '../payload/ref-template.js';
import type { Field, RelationMetadata } from '../rows/typeorm-types.js';

type TriggeredEvent = DeclaredEntityEvent & {
  readonly options: TriggeredOptions;
  /** The fields that it names, when it reacts to the change of some alone. */
  readonly fields: readonly string[] | undefined;
};

/** Options of an event with one of its triggers. */
type TriggeredOptions = RecordedOptions & {
  readonly on: Exclude<RecordedTrigger, { readonly change: readonly string[] }>;
};

/** An event of an entity with one of its triggers, made ready once for one data source. */
export interface EventPlan {
  /** As declared: with its fields in braces. */
  readonly name: string;
  readonly eventName: EventName;
  readonly entity: string;
  readonly metadata: EntityMetadata;
  /** Name of the class that declares it: the entity, or one that it extends. */
  readonly declaredBy: string;
  readonly options: TriggeredOptions;
  readonly condition: CompiledCondition | undefined;
  /** The relation, when the event reacts to links. */
  readonly relation: RelationMetadata | undefined;
  /** The columns and relations whose change it reacts to; undefined when any will do. */
  readonly watched: ReadonlySet<Field> | undefined;
  /** True if the condition reads the changed fields. */
  readonly readsChanges: boolean;
  /** True if anything is made from the row; else the row is not read. */
  readonly needsRow: boolean;
  /** Paths of the relations to load with the row. */
  readonly joins: readonly string[];
  /** Columns that TypeORM does not select by itself but a path of the event names. */
  readonly hidden: readonly string[];
  /**
   * The hidden columns of the entity and of rows that it refers to: the row is read with them, and payloads must not see
   * them.
   */
  readonly concealed: readonly string[];
  /** The hidden columns of the rows at the other end of its links. */
  readonly concealedInRelated: readonly string[];
  /** Hidden columns and relations that the event does not name: a change of them alone sends nothing. */
  readonly unreported: ReadonlySet<Field>;
  /** Undefined when its messages have no key. */
  readonly order: OrderPlan | undefined;
  /** The options that travel with messages. */
  readonly settings: MessageSettings;
  /** True if something of the row before an update counts that TypeORM does not load by itself. */
  readonly readsBefore: boolean;
}

/** The events of one entity in one data source. */
export interface EntityPlan {
  readonly metadata: EntityMetadata;
  readonly events: readonly EventPlan[];
  /** Undefined when rows are always read again. */
  readonly readBack: ReadBack | undefined;
  /** The properties of a row that may be among its changed fields. */
  readonly changeable: readonly string[];
}

/** A many-to-many relation that an entity has events on. */
export interface LinkPlan {
  readonly entity: EntityPlan;
  readonly relation: RelationMetadata;
}

/** The events of every entity that a data source knows. */
export interface CapturePlan {
  readonly entities: ReadonlyMap<EntityMetadata, EntityPlan>;
  /** By the metadata of the junction table. */
  readonly links: ReadonlyMap<EntityMetadata, readonly LinkPlan[]>;
}

/** @throws {@link ThornConfigurationError} when an event names a relation that its entity does not have */
export function planCapture(dataSource: DataSource): CapturePlan {
  const entities = new Map<EntityMetadata, EntityPlan>();
  const links = new Map<EntityMetadata, LinkPlan[]>();
  for (const metadata of dataSource.entityMetadatas) {
    const { target } = metadata;
    if (!isEntityClass(target) || metadata.isJunction) continue;
    checkColumnSettings(metadata);
    const declared = entityEventsOf(target).flatMap(byTrigger);
    if (declared.length === 0) continue;
    const planned = declared.map((event) => planEvent(event, metadata));
    const concealed = concealedPaths(planned, metadata);
    const events = planned.map((event) => ({ ...event, concealed }));
    const [readBack, changeable] = [planReadBack(metadata), changeableNames(metadata)];
    const plan = { metadata, events, readBack, changeable };
    entities.set(metadata, plan);
    for (const relation of new Set(plan.events.map((event) => event.relation))) {
      if (relation === undefined || isInherited(relation, metadata)) continue;
      const junction = relation.junctionEntityMetadata!;
      links.set(junction, [...(links.get(junction) ?? []), { entity: plan, relation }]);
    }
  }
  return { entities, links };
}

function byTrigger(event: DeclaredEntityEvent): readonly TriggeredEvent[] {
  return triggersOf(event.options).map((trigger) => {
    const fields = typeof trigger === 'object' && 'change' in trigger ? trigger.change : undefined;
    const on = typeof trigger === 'object' && 'change' in trigger ? 'change' : trigger;
    return { ...event, options: { ...event.options, on }, fields };
  });
}

function planEvent(event: TriggeredEvent, metadata: EntityMetadata): Omit<EventPlan, 'concealed'> {
  const { name, options } = event;
  const condition =
    options.when === undefined
      ? undefined
      : compileCondition(options.when, {
          owner: `@WebhookEvent('${name}') on ${metadata.name}`,
          fieldKind: (path) => changeKind(path, metadata) ?? fieldKind(path, metadata),
          fieldNames: (path) => changeNames(path, metadata) ?? fieldNames(path, metadata),
        });
  const eventName = compileEventName(name);
  const refPaths = typeof options.ref === 'string' ? templateFields(options.ref) : [];
  const ownerPaths = typeof options.owner === 'string' ? [options.owner] : [];
  const order = planOrder(options.orderBy, metadata);
  checkPaths(event, metadata, {
    'the name': eventName.paths,
    ref: refPaths,
    owner: ownerPaths,
    orderBy: order?.named ?? [],
  });
  const ofRow = (path: string): boolean => changeKind(path, metadata) === undefined;
  const beforePaths = (condition?.beforePaths ?? []).filter(ofRow);
  const paths = [
    ...eventName.paths,
    ...refPaths,
    ...ownerPaths,
    ...(order?.paths ?? []),
    ...(condition?.paths ?? []).filter(ofRow),
    ...beforePaths,
  ];
  const readsChanges = condition?.paths.every(ofRow) === false;
  const watched = watchedFields(event, metadata);
  const watchedHidden = [...hiddenFields(watched), ...hiddenRemoval(metadata, options)];
  const surveyed = paths.map((path) => surveyPath(path, metadata));
  for (const path of options.relations ?? []) {
    const survey = surveyPath(path, metadata);
    if (survey.rest !== '' || survey.joins.length === 0) {
      throw new ThornConfigurationError(
        'THORN_DECLARATION_INVALID',
        `${metadata.name}, event ${name}: relations names ${path}, which is not a relation of ${metadata.name}. ` +
          `Its relations: ${shownNames(metadata.relations.map(({ propertyPath }) => propertyPath))}`,
        { entity: metadata.name, event: name, path },
      );
    }
    surveyed.push(survey);
  }
  const { payload, ref, owner, headers } = options;
  const functions = [payload, ref, owner, headers, order?.keyFunction].filter(isFunction);
  const needsRow = paths.length > 0 || readsChanges || functions.length > 0;
  const relation = relationOf(event, metadata);
  return {
    name,
    eventName,
    entity: metadata.name,
    metadata,
    declaredBy: event.declaredBy.name,
    options,
    condition,
    order,
    settings: messageSettings(options),
    relation,
    concealedInRelated: relation ? [...hiddenNames(relation.inverseEntityMetadata)] : [],
    unreported: unreportedFields(metadata, { watched, paths }),
    watched,
    readsChanges,
    needsRow,
    joins: needsRow
      ? joinsOf([...surveyed.flatMap(withEagerRelations), ...eagerRelations(metadata)])
      : [],
    hidden: [...new Set([...surveyed.flatMap(({ hidden }) => hidden ?? []), ...watchedHidden])],
    readsBefore:
      watchedHidden.length > 0 ||
      beforePaths.some((path) => {
        const survey = surveyPath(path, metadata);
        return survey.hidden !== undefined || !onlyOwnKeys(survey);
      }),
  };
}

function relationOf(
  { name, options: { on } }: TriggeredEvent,
  metadata: EntityMetadata,
): RelationMetadata | undefined {
  if (typeof on === 'string') return undefined;
  const property = relationName(on);
  const relation = metadata.findRelationWithPropertyPath(property);
  if (relation?.junctionEntityMetadata === undefined) {
    const known = metadata.manyToManyRelations.map(({ propertyPath }) => propertyPath);
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${metadata.name}, event ${name}: ${property} is not a many-to-many relation. Those of ${metadata.name}: ${shownNames(known)}`,
      { entity: metadata.name, event: name, relation: property },
    );
  }
  return relation;
}

/** The property that a relation's trigger names. */
function relationName(on: Exclude<TriggeredOptions['on'], string>): string {
  return 'added' in on ? on.added : 'removed' in on ? on.removed : on.cleared;
}

// With single-table inheritance base and children share a junction: the base's plan answers for all of them.
function isInherited(relation: RelationMetadata, metadata: EntityMetadata): boolean {
  const parent = metadata.parentEntityMetadata as EntityMetadata | undefined;
  const target: unknown = parent?.target;
  return (
    parent?.findRelationWithPropertyPath(relation.propertyPath) !== undefined &&
    isEntityClass(target) &&
    entityEventsOf(target)
      .flatMap(byTrigger)
      .some(
        ({ options: { on } }) =>
          typeof on !== 'string' && relationName(on) === relation.propertyPath,
      )
  );
}

/** A hidden date of removal: without it nobody can tell whether a row is there. */
function hiddenRemoval(
  { deleteDateColumn }: EntityMetadata,
  { on, softRemoval }: TriggeredOptions,
): string[] {
  const counts = typeof on === 'string' && softRemoval !== false;
  return counts && deleteDateColumn?.isSelect === false ? [deleteDateColumn.propertyPath] : [];
}

function isFunction(setting: unknown): setting is Function {
  return typeof setting === 'function';
}
