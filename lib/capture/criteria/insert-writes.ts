import type { ObjectLiteral } from 'typeorm';
import type { EntityPlan } from '../entities/entity-plan.js';
import { isMySql } from '../rows/row-lock.js';
import { concernedEvents } from './bulk-operation.js';
import { ownTransaction } from './own-transaction.js';
import { Upsert } from './upsert.js';
import { hooksFirst, type WriteBuilder } from './write-builders.js';
import { type BuilderWrite, valueSetsOf } from './write-context.js';

/**
 * Gives an insert its transaction; hooks tell its rows. Of one that may update or skip existing rows it collects what it
 * has done, since hooks take all of them for new.
 *
 * @param upserted is given the rows of values of such an insert
 */
export async function insert(write: BuilderWrite, upserted: WeakSet<object>): Promise<unknown> {
  const { context, builder, metadata, execute } = write;
  const { entities, links } = context.plan;
  if (links.has(metadata)) return ownTransaction(builder, context, execute);
  const plan = entities.get(metadata);
  if (plan === undefined) return execute();
  if (Reflect.get(builder.expressionMap, 'insertFromSelect') !== undefined) {
    context.guard.notice(plan, 'valuesFromSelect');
    return execute();
  }
  const valueSets = valueSetsOf(builder);
  if (valueSets.length === 0) return execute();
  if (mayUpdateOrSkip(builder)) {
    for (const values of valueSets) upserted.add(values);
    try {
      return await upsert(write, plan, valueSets);
    } finally {
      // They may be inserted as new rows later.
      for (const values of valueSets) upserted.delete(values);
    }
  }
  return concernedEvents(plan, 'insert').length > 0
    ? ownTransaction(builder, context, execute)
    : execute();
}

async function upsert(
  write: BuilderWrite,
  plan: EntityPlan,
  valueSets: readonly ObjectLiteral[],
): Promise<unknown> {
  const { context, builder, execute } = write;
  const isConcerned =
    concernedEvents(plan, 'upsert').length > 0 ||
    // The commit must know that a row which is deleted later was not there before.
    (concernedEvents(plan, 'delete').length > 0 && context.isInTransaction(builder));
  if (!isConcerned || !context.guard.admits(plan, 'upsert')) return execute();
  return ownTransaction(
    builder,
    context,
    (queryRunner) =>
      hooksFirst(builder, queryRunner, async () => {
        const upsert = new Upsert(write, plan, valueSets, queryRunner);
        const { result, changes } = await context.changes.asOwn(queryRunner, () => upsert.make());
        context.collect(queryRunner, changes);
        return result;
      }),
    // What is read before the insert must not keep it from hitting what others have written since.
    isMySql(context.dataSource) ? 'READ COMMITTED' : undefined,
  );
}

function mayUpdateOrSkip({ expressionMap }: WriteBuilder): boolean {
  return (
    expressionMap.onIgnore ||
    (expressionMap.onUpdate as unknown) !== undefined ||
    // TypeORM 0.3
    Boolean(Reflect.get(expressionMap, 'onConflict'))
  );
}
