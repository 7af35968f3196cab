import { isMySql } from '../rows/row-lock.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { concernedEvents } from './bulk-operation.js';
import { Upsert } from './upsert.js';
import type { UpsertedValues } from './upserted-values.js';
import type { WriteBuilder } from './write-builders.js';
import { type BuilderWrite, valueSetsOf } from './write-context.js';

/**
 * Gives an insert its transaction; hooks tell its rows. Of one that may update or skip existing rows it collects what it
 * has done, since hooks take all of them for new.
 *
 * @param upserted is given the rows of values whose hooks are not to count
 */
export function insert(write: BuilderWrite, upserted: UpsertedValues): Promise<unknown> {
  const { context, builder, metadata, execute } = write;
  const { entities, links } = context.plan;
  const inTransaction = () =>
    context.transactions.run(builder, (queryRunner) =>
      execute(builder.clone().setQueryRunner(queryRunner)),
    );
  if (links.has(metadata)) return inTransaction();
  const plan = entities.get(metadata);
  if (plan === undefined) return execute();
  if (builder.expressionMap.insertFromSelect !== undefined) {
    context.guard.notice(plan, 'valuesFromSelect');
    return execute();
  }
  if (valueSetsOf(builder).length === 0) return execute();
  if (mayUpdateOrSkip(builder)) {
    return isCapturedUpsert(write, plan)
      ? context.transactions.run(
          builder,
          (queryRunner) => new Upsert(write, plan, queryRunner, upserted).make(),
          // Else what is read before the insert would lock the places of rows that are not there.
          isMySql(context.dataSource) ? 'READ COMMITTED' : undefined,
        )
      : uncapturedUpsert(write, plan, upserted);
  }
  return context.mayBeHeard(plan, 'insert', builder) ? inTransaction() : execute();
}

function isCapturedUpsert({ context, builder }: BuilderWrite, plan: EntityPlan): boolean {
  const isConcerned =
    concernedEvents(plan, 'upsert').length > 0 ||
    // The commit must know that a row which is deleted later was not there before.
    (concernedEvents(plan, 'delete').length > 0 && context.transactions.isOpenFor(builder));
  return (
    isConcerned &&
    context.guard.admits(plan, 'upsert') &&
    context.mayBeHeard(plan, 'upsert', builder)
  );
}

function uncapturedUpsert(
  { context, builder, execute }: BuilderWrite,
  plan: EntityPlan,
  upserted: UpsertedValues,
): Promise<unknown> {
  context.noteUnseen(plan, 'upsert', builder);
  return upserted.during(valueSetsOf(builder), () => execute());
}

function mayUpdateOrSkip({ expressionMap }: WriteBuilder): boolean {
  return (
    expressionMap.onIgnore ||
    (expressionMap.onUpdate as unknown) !== undefined ||
    // TypeORM 0.3
    Boolean(Reflect.get(expressionMap, 'onConflict'))
  );
}
