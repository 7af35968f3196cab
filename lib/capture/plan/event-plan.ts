import { shownNames } from '../../common/log.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { compileCondition } from '../../event/conditions/condition-compile.js';
import type { CompiledCondition } from '../../event/conditions/condition.js';
import {
  type DeclaredEntityEvent,
  type RecordedOptions,
  type RecordedTrigger,
  triggersOf,
} from '../../event/entity-events.js';
import { compileEventName, type EventName } from '../../event/event-name.js';
import { messageSettings, type MessageSettings } from '../../message/index.js';
import { templateFields } from './payload.js';
import type { Field, Relation, RowTable } from '../table/row-table.js';
import {
  changeableNames,
  changeKind,
  changeNames,
  hiddenFields,
  watchedFields,
} from './changed-fields.js';
import { concealedNames, concealedPaths, unreportedFields } from './hidden-columns.js';
import { type OrderPlan, planOrder } from './order-plan.js';
import { checkPaths } from './path-checks.js';
import {
  eagerRelations,
  fieldKind,
  fieldNames,
  joinsOf,
  onlyOwnKeys,
  relationAt,
  surveyPath,
  withEagerRelations,
} from './row-paths.js';

type TriggeredEvent = DeclaredEntityEvent & {
  readonly options: TriggeredOptions;
  /** The fields that it names, when it reacts to the change of some alone. */
  readonly fields: readonly string[] | undefined;
};

/** Options of an event with one of its triggers. */
type TriggeredOptions = RecordedOptions & {
  readonly on: Exclude<RecordedTrigger, { readonly change: readonly string[] }>;
};

/** An event of a table with one of its triggers, made ready once. */
export interface EventPlan {
  /** The name as it is declared, with its fields in braces. */
  readonly name: string;
  readonly eventName: EventName;
  readonly table: RowTable;
  /**
   * The name of the class that declares the event (the entity, or a class that it extends), or of the table's
   * declaration.
   */
  readonly declaredBy: string;
  readonly options: TriggeredOptions;
  readonly condition: CompiledCondition | undefined;
  /** The relation, when the event reacts to links. */
  readonly relation: Relation | undefined;
  /** The columns and relations whose change it reacts to; undefined when any will do. */
  readonly watched: ReadonlySet<Field> | undefined;
  /** True if the condition reads the changed fields. */
  readonly readsChanges: boolean;
  /** True if anything is made from the row; else the row is not read. */
  readonly needsRow: boolean;
  /** Paths of the relations to load with the row. */
  readonly joins: readonly string[];
  /** Hidden columns that a path of the event names. */
  readonly hidden: readonly string[];
  /**
   * The hidden columns of the table and of rows that it refers to: the row is read with them, and payloads must not see
   * them.
   */
  readonly concealed: readonly string[];
  /** The hidden columns of the rows at the other end of its links. */
  readonly concealedInRelated: readonly string[];
  /** Hidden columns and relations that the event does not name. A change of these columns alone sends nothing. */
  readonly unreported: ReadonlySet<Field>;
  /** Undefined when its messages have no key. */
  readonly order: OrderPlan | undefined;
  /** The options that travel with messages. */
  readonly settings: MessageSettings;
  /** True if something of the row before an update counts that is not read by itself. */
  readonly readsBefore: boolean;
}

/** The events of one table. */
export interface TablePlan {
  readonly table: RowTable;
  readonly events: readonly EventPlan[];
  /** The properties of a row that may be among its changed fields. */
  readonly changeable: readonly string[];
}

/** A many-to-many relation that a table has events on. */
export interface LinkPlan {
  readonly entity: TablePlan;
  readonly relation: Relation;
}

/**
 * Makes the events of a table ready.
 *
 * @returns undefined when there are none
 * @throws {@link ThornConfigurationError} when an event names something that its rows do not have
 */
export function planTable(
  table: RowTable,
  declared: readonly DeclaredEntityEvent[],
): TablePlan | undefined {
  const planned = declared.flatMap(byTrigger).map((event) => planEvent(event, table));
  if (planned.length === 0) return undefined;
  const concealed = concealedPaths(planned, table);
  return {
    table,
    events: planned.map((event) => ({ ...event, concealed })),
    changeable: changeableNames(table),
  };
}

/** The tables whose rows an event reads. */
export function tablesOf({ table, joins, relation }: EventPlan): RowTable[] {
  return [
    table,
    ...joins.map((path) => surveyPath(path, table).relations.at(-1)!.target),
    ...(relation === undefined ? [] : [relation.target]),
  ];
}

/** The relations whose links some events react to. */
export function linkRelations(declared: readonly DeclaredEntityEvent[]): ReadonlySet<string> {
  return new Set(
    declared
      .flatMap(byTrigger)
      .flatMap(({ options: { on } }) => (typeof on === 'string' ? [] : [relationName(on)])),
  );
}

function byTrigger(event: DeclaredEntityEvent): readonly TriggeredEvent[] {
  return triggersOf(event.options).map((trigger) => {
    const fields = typeof trigger === 'object' && 'change' in trigger ? trigger.change : undefined;
    const on = typeof trigger === 'object' && 'change' in trigger ? 'change' : trigger;
    return { ...event, options: { ...event.options, on }, fields };
  });
}

function planEvent(event: TriggeredEvent, table: RowTable): Omit<EventPlan, 'concealed'> {
  const { name, options } = event;
  const condition =
    options.when === undefined
      ? undefined
      : compileCondition(options.when, {
          owner: table.declarationOf(name),
          fieldKind: (path) => changeKind(path, table) ?? fieldKind(path, table),
          fieldNames: (path) => changeNames(path, table) ?? fieldNames(path, table),
          operandFault: (...given) => table.operandFault?.(...given),
        });
  const eventName = compileEventName(name);
  const refPaths = typeof options.ref === 'string' ? templateFields(options.ref) : [];
  const subjectPaths = typeof options.subject === 'string' ? templateFields(options.subject) : [];
  const ownerPaths = typeof options.owner === 'string' ? [options.owner] : [];
  const order = planOrder(options.orderBy, table);
  checkPaths(event, table, {
    'the name': eventName.paths,
    ref: refPaths,
    subject: subjectPaths,
    owner: ownerPaths,
    orderBy: order?.named ?? [],
  });
  const ofRow = (path: string): boolean => changeKind(path, table) === undefined;
  const beforePaths = (condition?.beforePaths ?? []).filter(ofRow);
  const paths = [
    ...eventName.paths,
    ...refPaths,
    ...subjectPaths,
    ...ownerPaths,
    ...(order?.paths ?? []),
    ...(condition?.paths ?? []).filter(ofRow),
    ...beforePaths,
  ];
  const readsChanges = condition?.paths.every(ofRow) === false;
  const watched = watchedFields(event, table);
  const watchedHidden = [...hiddenFields(watched), ...hiddenRemoval(table, options)];
  const surveyed = paths.map((path) => surveyPath(path, table));
  for (const path of options.relations ?? []) {
    const survey = surveyPath(path, table);
    if (survey.rest !== '' || survey.joins.length === 0) {
      throw new ThornConfigurationError(
        'THORN_DECLARATION_INVALID',
        `${table.name}, event ${name}: relations names ${path}, which is not a relation of ${table.name}. ` +
          `Its relations: ${shownNames(table.relations.map((relation) => relation.path))}`,
        { entity: table.name, event: name, path },
      );
    }
    surveyed.push(survey);
  }
  const { payload, ref, subject, owner, headers } = options;
  const settings = [payload, ref, subject, owner, headers, order?.keyFunction];
  const functions = settings.filter(isFunction);
  const needsRow = paths.length > 0 || readsChanges || functions.length > 0;
  const relation = relationOf(event, table);
  return {
    name,
    eventName,
    table,
    declaredBy: event.declaredBy.name,
    options,
    condition,
    order,
    settings: messageSettings(options),
    relation,
    concealedInRelated: relation ? [...concealedNames(relation.target)] : [],
    unreported: unreportedFields(table, { watched, paths }),
    watched,
    readsChanges,
    needsRow,
    joins: needsRow
      ? joinsOf([...surveyed.flatMap(withEagerRelations), ...eagerRelations(table)])
      : [],
    hidden: [...new Set([...surveyed.flatMap(({ hidden }) => hidden ?? []), ...watchedHidden])],
    readsBefore:
      watchedHidden.length > 0 ||
      beforePaths.some((path) => {
        const survey = surveyPath(path, table);
        return survey.hidden !== undefined || !onlyOwnKeys(survey);
      }),
  };
}

function relationOf(
  { name, options: { on } }: TriggeredEvent,
  table: RowTable,
): Relation | undefined {
  if (typeof on === 'string') return undefined;
  const property = relationName(on);
  const relation = relationAt(property, table);
  if (relation?.hasLinks === true) return relation;
  const known = table.relations.filter(({ hasLinks }) => hasLinks).map(({ path }) => path);
  throw new ThornConfigurationError(
    'THORN_DECLARATION_INVALID',
    `${table.name}, event ${name}: ${property} is not a many-to-many relation. Those of ${table.name}: ${shownNames(known)}`,
    { entity: table.name, event: name, relation: property },
  );
}

/** The property that a relation's trigger names. */
function relationName(on: Exclude<TriggeredOptions['on'], string>): string {
  return 'added' in on ? on.added : 'removed' in on ? on.removed : on.cleared;
}

/** Finds a hidden removal date: without that column, a softly removed row looks like any other row. */
function hiddenRemoval({ deleteDate }: RowTable, { on, softRemoval }: TriggeredOptions): string[] {
  const counts = typeof on === 'string' && softRemoval !== false;
  return counts && deleteDate?.isHidden === true ? [deleteDate.path] : [];
}

function isFunction(setting: unknown): setting is Function {
  return typeof setting === 'function';
}
