import type { EntityMetadata, ObjectLiteral, QueryRunner } from 'typeorm';
import { relationsCutWith } from '../entities/affecting-entities.js';
import { linkChange, linksToRemoved } from '../entities/link-rows.js';
import { changesOfRows, readComplete } from '../entities/rows-before.js';
import type { LinkChange, RowChange } from '../../capture/changes/row-change.js';
import type { EntityPlan, LinkPlan } from '../entities/entity-plan.js';
import type { EventPlan } from '../../capture/plan/event-plan.js';
import { UNKNOWN_VALUE } from '../../capture/table/row-table.js';
import { setRelation } from '../rows/entity-values.js';
import { isPostgres } from '../rows/row-lock.js';
import type { RelationMetadata } from '../rows/columns.js';
import { type BulkOperation, eventsOf } from './bulk-operation.js';
import { keyCondition, mostKeys, namedId, readMatched, readUnlinked } from './matched-rows.js';
import { readRemovedLinks } from './removed-links.js';
import { isNothingSet, setValueOf, setValuesOf } from './set-values.js';
import type { WriteBuilder } from './write-builders.js';
import { type BuilderWrite, valueSetsOf } from './write-context.js';

/** The writes that name their rows by a condition. */
type ByCondition = 'update' | 'delete' | 'softDelete' | 'restore';

const DID: Readonly<Record<ByCondition, RowChange['did']>> = {
  update: 'update',
  delete: 'remove',
  softDelete: 'soft-remove',
  restore: 'recover',
};

const UNLINK = 'relation().remove()';

/** A write by a condition, with the entity and the operation. */
interface ConditionWrite {
  readonly operation: ByCondition;
  /** The same for the guard, which knows more kinds. */
  readonly named: BulkOperation;
  /** The entities whose rows count. */
  readonly plans: readonly EntityPlan[];
  /** The relations whose links the database deletes with its rows. */
  readonly links: readonly LinkPlan[];
}

/** The rows that a write is about to hit. */
interface RowsRead {
  /** The entity whose table is written. */
  readonly written: EntityMetadata;
  readonly rows: readonly ObjectLiteral[];
  readonly relations: readonly RelationMetadata[];
  readonly queryRunner: QueryRunner;
}

/** The rows of one entity among the rows that a write is about to hit. */
interface RowsBefore {
  readonly plan: EntityPlan;
  readonly rows: readonly ObjectLiteral[];
  /** The rows with everything that events need, where columns alone are not enough. */
  readonly complete: ReadonlyMap<string, ObjectLiteral>;
}

/**
 * Makes a write by a condition, and collects the change of each row:
 *
 * 1. reads the rows that the condition matches, and locks them where the database can;
 * 2. writes exactly these rows, by their keys, with a query builder of its own;
 * 3. collects their changes. The commit reads the rows again.
 *
 * @throws {@link BulkWriteError} when the write is refused
 */
export function writeByCondition(write: BuilderWrite, operation: ByCondition): Promise<unknown> {
  const { context, builder, metadata, execute } = write;
  const named = operation === 'update' ? kindOfUpdate(write) : operation;
  const links =
    operation === 'delete'
      ? classesOf(metadata).flatMap((one) => relationsCutWith(context.plan, one))
      : [];
  const plans = concernedPlans(write, named);
  if (plans.length + links.length === 0) return execute();
  // TypeORM itself keeps columns of trees this way.
  if (operation === 'update' && isNothingSet(metadata, valuesOf(builder))) return execute();
  // TypeORM refuses it.
  if (isSoft(operation) && metadata.deleteDateColumn === undefined) return execute();
  if (operation === 'update') refuseUnclear(write, plans);
  return context.transactions.run(builder, (queryRunner) =>
    writeRead(write, { operation, named, plans, links }, queryRunner),
  );
}

async function writeRead(
  write: BuilderWrite,
  about: ConditionWrite,
  queryRunner: QueryRunner,
): Promise<unknown> {
  const { context, builder, metadata, execute } = write;
  const { operation, plans, links } = about;
  const { dataSource } = context;
  const own = builder.clone().setQueryRunner(queryRunner);
  const limit = limitOf(write, about);
  const relations = operation === 'update' ? relationsToRead(write) : [];
  const rows = await context.read(metadata, operation, () =>
    readMatched(builder, queryRunner.manager, {
      metadata,
      relations,
      keepsKeys: operation !== 'delete',
      limit: limit + 1,
      single: plans[0]?.table.single,
    }),
  );
  if (rows.length > limit) {
    overflow(write, about);
    return execute(own);
  }
  const before: RowsBefore[] = [];
  for (const plan of plans) {
    const all = { written: metadata, rows, relations, queryRunner };
    before.push(await context.read(metadata, operation, () => readBefore(plan, about, all)));
  }
  const cut = links.length === 0 ? [] : await readCut(write, rows, queryRunner);
  const { sql, parameters } = keyCondition(dataSource, metadata, rows);
  const result = await execute((own as WritesByCondition).where(sql, parameters));
  const hit = (result as { readonly affected?: number | null }).affected;
  // On the other databases the number leaves out unchanged rows, or rows that the database removes with others.
  if (isPostgres(dataSource) && typeof hit === 'number' && hit !== rows.length) {
    const error = context.guard.otherRows(metadata.name, operation, { read: rows.length, hit });
    context.refuse(queryRunner, error);
  }
  // By now the application's hooks have set their values.
  const set = setValuesOf(metadata, operation === 'update' ? { ...valuesOf(own) } : {});
  if (operation === 'update') refuseOtherKey(write, plans, queryRunner);
  for (const relation of relations) {
    if (!set.relations.includes(relation)) forgetRelation(before, relation);
  }
  for (const { plan, rows: ofPlan, complete } of before) {
    const did = DID[operation];
    context.collect(
      queryRunner,
      changesOfRows({ did, plan, values: set.values }, ofPlan, complete),
    );
  }
  context.collect(queryRunner, cut);
  return result;
}

/** The query builders that take a condition. */
type WritesByCondition = WriteBuilder & {
  where(sql: string, parameters: ObjectLiteral): WriteBuilder;
};

/** Reads what events ask of the rows of an entity before a write, besides their columns. */
async function readBefore(
  plan: EntityPlan,
  { operation }: ConditionWrite,
  { written, rows: all, relations, queryRunner }: RowsRead,
): Promise<RowsBefore> {
  const { metadata } = plan;
  const rows = rowsOf(metadata, written, all);
  const events = plan.events.filter((event) => readsOldRow(event, operation));
  const complete = await readComplete(queryRunner.manager, metadata, rows, events, relations);
  return { plan, rows, complete };
}

/** The links that the database deletes with rows that a write removes. */
async function readCut(
  { context, metadata }: BuilderWrite,
  all: readonly ObjectLiteral[],
  { manager }: QueryRunner,
): Promise<readonly LinkChange[]> {
  const cut: LinkChange[] = [];
  for (const one of classesOf(metadata)) {
    const rows = rowsOf(one, metadata, all);
    const links = await readRemovedLinks(context, manager, { metadata: one, rows });
    cut.push(...linksToRemoved(links, rows));
  }
  return cut;
}

/** The classes of the rows in a table. With single-table inheritance, subclasses are included. */
function classesOf(metadata: EntityMetadata): readonly EntityMetadata[] {
  return [metadata, ...metadata.childEntityMetadatas];
}

/** The rows of one class: with single-table inheritance, TypeORM makes each row an instance of its own class. */
function rowsOf(
  { target }: EntityMetadata,
  written: EntityMetadata,
  all: readonly ObjectLiteral[],
): readonly ObjectLiteral[] {
  if (written.childEntityMetadatas.length === 0) return all;
  return all.filter((row) => row.constructor === target);
}

function readsOldRow({ options, needsRow, readsBefore }: EventPlan, operation: ByCondition) {
  return (
    (operation === 'delete' && options.on === 'delete' && (needsRow || readsBefore)) ||
    (operation === 'update' && readsBefore)
  );
}

/**
 * The relations whose old ids must be read before an update: the relations that it sets, or all, when a hook may set
 * further ones.
 */
function relationsToRead({
  context,
  builder,
  metadata,
}: BuilderWrite): readonly RelationMetadata[] {
  return context.hasHooks(metadata, 'beforeUpdate')
    ? metadata.relationsWithJoinColumns
    : setValuesOf(metadata, valuesOf(builder)).relations;
}

/** Leaves rows as TypeORM reads them without a relation. */
function forgetRelation(before: readonly RowsBefore[], relation: RelationMetadata): void {
  for (const { rows } of before) for (const row of rows) setRelation(row, relation, undefined);
}

/** The most rows that the write may hit. */
function limitOf({ context, metadata }: BuilderWrite, about: ConditionWrite): number {
  const { guard, dataSource } = context;
  const plans = [...about.plans, ...about.links.map(({ entity }) => entity)];
  const limits = plans.map((plan) => guard.limitOf(plan));
  return Math.min(...limits, mostKeys(dataSource, metadata));
}

/** @throws {@link BulkWriteError} when writes of too many rows are refused */
function overflow({ context, builder, metadata }: BuilderWrite, about: ConditionWrite): void {
  const { plans, named, links } = about;
  const most = mostKeys(context.dataSource, metadata);
  for (const plan of plans) {
    context.guard.overflow(plan, named, most);
    context.noteUnseen(plan, named, builder);
  }
  for (const { entity } of links) context.guard.overflow(entity, 'removal of linked rows', most);
}

/** Cuts the links that a condition on a junction table matches, by their keys as {@link writeByCondition} does. */
export async function deleteLinks({
  context,
  builder,
  metadata,
  execute,
}: BuilderWrite): Promise<unknown> {
  const plans = (context.plan.links.get(metadata) ?? []).filter(({ entity }) =>
    context.guard.admits(entity, UNLINK),
  );
  if (plans.length === 0) return execute();
  return context.transactions.run(builder, async (queryRunner) => {
    const { dataSource } = context;
    const most = mostKeys(dataSource, metadata);
    const limits = plans.map(({ entity }) => context.guard.limitOf(entity));
    const limit = Math.min(...limits, most);
    const links = await context.read(metadata, UNLINK, () =>
      readUnlinked(builder, queryRunner.manager, metadata, limit + 1),
    );
    const own = builder.clone().setQueryRunner(queryRunner);
    if (links.length > limit) {
      for (const { entity } of plans) context.guard.overflow(entity, UNLINK, most);
      return execute(own);
    }
    const { sql, parameters } = keyCondition(dataSource, metadata, links);
    const result = await execute((own as WritesByCondition).where(sql, parameters));
    const changes = links.flatMap((link) => plans.map((plan) => linkChange(plan, 'unlink', link)));
    context.collect(
      queryRunner,
      changes.filter((change) => change !== undefined),
    );
    return result;
  });
}

/** The values that an update sets. */
function valuesOf(builder: WriteBuilder): ObjectLiteral {
  return valueSetsOf(builder)[0] ?? {};
}

/** An update may also remove rows softly, recover them, or change their class. */
function kindOfUpdate({ builder, metadata }: BuilderWrite): BulkOperation {
  const { deleteDateColumn } = metadata;
  if (setsOtherKey(builder, metadata)) return 'update of the key';
  const date = deleteDateColumn && setValueOf(deleteDateColumn, valuesOf(builder));
  if (date === undefined) return 'update';
  return date === null ? 'update of the delete date to null' : 'update of the delete date';
}

/** @throws {@link BulkWriteError} for an update whose new keys or soft removals cannot be known */
function refuseUnclear(write: BuilderWrite, plans: readonly EntityPlan[]): void {
  refuseOtherKey(write, plans);
  const { context, builder, metadata } = write;
  const { deleteDateColumn: column } = metadata;
  if (column === undefined || setValueOf(column, valuesOf(builder)) !== UNKNOWN_VALUE) return;
  for (const plan of plans) {
    const error = context.guard.unknownDate(plan, column.propertyPath);
    if (error !== undefined) throw error;
  }
}

/**
 * @param queryRunner after the write: its transaction must not commit. Default: it is not made yet
 * @throws {@link BulkWriteError} when an update may give rows other keys
 */
function refuseOtherKey(
  { context, builder, metadata }: BuilderWrite,
  plans: readonly EntityPlan[],
  queryRunner?: QueryRunner,
): void {
  if (!setsOtherKey(builder, metadata)) return;
  for (const plan of plans) {
    const error = context.guard.otherKey(plan, queryRunner !== undefined);
    if (error === undefined) continue;
    if (queryRunner === undefined) throw error;
    context.refuse(queryRunner, error);
  }
}

/** Tells whether an update may give a row another key than it has. */
function setsOtherKey(builder: WriteBuilder, metadata: EntityMetadata): boolean {
  const given = valuesOf(builder);
  const id = namedId(builder, metadata);
  return metadata.primaryColumns.some((column) => {
    const [value, named] = [setValueOf(column, given), id?.get(column)];
    if (value === undefined || value === named) return false;
    return typeof value === 'object' || String(value) !== String(named);
  });
}

function isSoft(operation: ByCondition): boolean {
  return operation === 'softDelete' || operation === 'restore';
}

/** The entities whose rows the write may hit, and that have events for it which somebody may hear. */
function concernedPlans(write: BuilderWrite, operation: BulkOperation): readonly EntityPlan[] {
  const { context, builder, metadata } = write;
  const { entities } = context.plan;
  return classesOf(metadata)
    .map((entity) => entities.get(entity))
    .filter((plan) => plan !== undefined)
    .filter((plan) => {
      if (eventsOf(plan, operation).length > 0 && context.guard.admits(plan, operation))
        return true;
      context.noteUnseen(plan, operation, builder);
      return false;
    })
    .filter((plan) =>
      context.mayBeHeard(plan, operation, builder, (event) => mayReport(plan, event, write)),
    );
}

/** Tells whether an event may tell of a write, as far as the values say that an update sets. */
function mayReport(
  plan: EntityPlan,
  { options, watched, unreported }: EventPlan,
  { context, builder, metadata }: BuilderWrite,
): boolean {
  if (builder.expressionMap.queryType !== 'update' || options.on !== 'change') return true;
  if (context.hasHooks(metadata, 'beforeUpdate')) return true;
  const { columns, relations } = setValuesOf(metadata, valuesOf(builder));
  return [...columns, ...relations]
    .map((field) => plan.table.field(field))
    .some((field) => !unreported.has(field) && (watched === undefined || watched.has(field)));
}
