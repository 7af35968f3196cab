import type { EntityMetadata, QueryRunner } from 'typeorm';
import { linkChange } from '../entities/link-change.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { UNKNOWN_VALUE } from '../table/field-value.js';
import { type BulkOperation, concernedEvents } from './bulk-operation.js';
import { namedId, onlyRead, readMatched, readUnlinked, rowsHit } from './matched-rows.js';
import { ownTransaction } from './own-transaction.js';
import { canReturnRow, writeReturning } from './returning-writes.js';
import { changesOf, type PendingWrite } from './row-changes.js';
import { isNothingSet, setValueOf, setValuesOf } from './set-values.js';
import { hooksFirst, type WriteBuilder } from './write-builders.js';
import { type BuilderWrite, valueSetsOf } from './write-context.js';

/** The writes that name their rows by a condition. */
type ByCondition = 'update' | 'delete' | 'softDelete' | 'restore';

const UNLINK = 'relation().remove()';

/**
 * Collects what a write makes of each row that its condition matches.
 *
 * @throws {@link BulkWriteError} when the write is refused
 */
export function writeByCondition(write: BuilderWrite, operation: ByCondition): Promise<unknown> {
  const { context, builder, metadata, execute } = write;
  const named = operation === 'update' ? kindOfUpdate(write) : operation;
  const plans = concernedPlans(write, named);
  const affectsOthers = operation === 'delete' && context.removals.affectsOthers(metadata);
  if (plans.length === 0 && !affectsOthers) return execute();
  // TypeORM itself keeps columns of trees this way.
  if (operation === 'update' && isNothingSet(metadata, valueSetsOf(builder)[0] ?? {})) {
    return execute();
  }
  // TypeORM refuses it.
  if (isSoft(operation) && metadata.deleteDateColumn === undefined) return execute();
  const limits = plans.map((plan) => context.guard.limitOf(plan));
  const limit = Math.min(...limits, ...(affectsOthers ? [context.guard.cascadeLimit] : []));
  const about = { operation, named, plans, affectsOthers, limit };
  return ownTransaction(builder, context, (queryRunner) =>
    hooksFirst(builder, queryRunner, () => writeCaptured(write, about, queryRunner)),
  );
}

/** An update may also remove or recover rows, or make others of them. */
function kindOfUpdate({ builder, metadata }: BuilderWrite): BulkOperation {
  const given = valueSetsOf(builder)[0] ?? {};
  const { deleteDateColumn } = metadata;
  if (setsOtherKey(builder, metadata)) return 'update of the key';
  const date = deleteDateColumn && setValueOf(deleteDateColumn, given);
  if (date === undefined || date === UNKNOWN_VALUE) return 'update';
  return date === null ? 'update of the delete date to null' : 'update of the delete date';
}

/** Tells whether an update may give a row another key than it has. */
function setsOtherKey(builder: WriteBuilder, metadata: EntityMetadata): boolean {
  const given = valueSetsOf(builder)[0] ?? {};
  const id = namedId(builder, metadata);
  return metadata.primaryColumns.some((column) => {
    const [value, named] = [setValueOf(column, given), id?.get(column)];
    if (value === undefined || value === named) return false;
    return typeof value === 'object' || String(value) !== String(named);
  });
}

/** Makes the write, of the values that hooks have left it. */
function writeCaptured(
  write: BuilderWrite,
  about: Omit<ConditionWrite, 'set'>,
  queryRunner: QueryRunner,
): Promise<unknown> {
  const { context, builder, metadata } = write;
  const { operation, plans, affectsOthers } = about;
  const set = setValuesOf(metadata, operation === 'update' ? { ...valueSetsOf(builder)[0] } : {});
  if (operation === 'update' && setsOtherKey(builder, metadata)) {
    for (const plan of plans) context.guard.refuseKey(plan);
  }
  const [plan] = plans;
  // RETURNING has no relations as they were before.
  const isAlone = plans.length === 1 && !affectsOthers && set.relations.length === 0;
  return plan && isAlone && canReturnRow(write, operation, plan)
    ? writeReturning(write, { operation, plans, queryRunner, set })
    : writeRead(write, { ...about, set }, queryRunner);
}

/** A write by a condition, and what it is about. */
interface ConditionWrite extends Pick<PendingWrite, 'plans' | 'set'> {
  readonly operation: ByCondition;
  /** The same for the guard, which knows more kinds. */
  readonly named: BulkOperation;
  /** True if it removes rows with which the database changes others. */
  readonly affectsOthers: boolean;
  /** The most rows that it may hit. */
  readonly limit: number;
}

/** Reads the rows before they are written. */
async function writeRead(
  { context, builder, metadata, execute }: BuilderWrite,
  { operation, plans, named, affectsOthers, set, limit }: ConditionWrite,
  queryRunner: QueryRunner,
): Promise<unknown> {
  const rows = await context.read(metadata, operation, () =>
    readMatched(builder, queryRunner.manager, {
      metadata,
      relations: set.relations,
      keepsKeys: operation !== 'delete',
      limit: limit + 1,
    }),
  );
  if (rows.length > limit) {
    const others = affectsOthers ? context.removals.eventsWith(metadata) : [];
    for (const plan of plans) {
      context.guard.overflow(plan, named, others);
      context.noteUnseen(plan, named, builder);
    }
    if (plans.length === 0) context.guard.cascadeOverflow(metadata.name);
    return execute();
  }
  const changes = await context.read(metadata, operation, () =>
    changesOf({ operation: named, metadata, rows, plans, set, queryRunner }),
  );
  const caused = affectsOthers
    ? await context.removals.changesWith(queryRunner.manager, metadata, rows)
    : [];
  const result = await onlyRead(builder, metadata, rows, execute);
  const hit = rowsHit(builder, metadata, rows, result) ?? rows.length;
  if (hit !== rows.length) {
    context.refuseOthers(queryRunner, metadata, operation, { read: rows.length, hit });
  }
  context.collect(queryRunner, [...changes, ...caused]);
  return result;
}

/** Reads the links that a condition on a junction table matches, and collects that they are cut. */
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
  return ownTransaction(builder, context, async (queryRunner) => {
    const limit = Math.min(...plans.map(({ entity }) => context.guard.limitOf(entity)));
    const links = await context.read(metadata, UNLINK, () =>
      readUnlinked(builder, queryRunner.manager, metadata, limit + 1),
    );
    if (links.length > limit) {
      for (const { entity } of plans) context.guard.overflow(entity, UNLINK);
      return execute();
    }
    const result = await execute();
    const changes = links.flatMap((link) => plans.map((plan) => linkChange(plan, 'unlink', link)));
    context.collect(
      queryRunner,
      changes.filter((change) => change !== undefined),
    );
    return result;
  });
}

function isSoft(operation: ByCondition): boolean {
  return operation === 'softDelete' || operation === 'restore';
}

/** The entities whose rows the write may hit, and that have events for it. */
function concernedPlans(
  { context, builder, metadata }: BuilderWrite,
  operation: BulkOperation,
): readonly EntityPlan[] {
  const { entities } = context.plan;
  // With single-table inheritance, rows of subclasses are in the table as well.
  return [metadata, ...metadata.childEntityMetadatas]
    .map((entity: EntityMetadata) => entities.get(entity))
    .filter((plan) => plan !== undefined)
    .filter((plan) => {
      const isCaptured =
        concernedEvents(plan, operation).length > 0 && context.guard.admits(plan, operation);
      if (!isCaptured) context.noteUnseen(plan, operation, builder);
      return isCaptured;
    });
}
