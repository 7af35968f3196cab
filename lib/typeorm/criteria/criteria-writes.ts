import type { ObjectLiteral } from 'typeorm';
import { deleteLinks, writeByCondition } from './condition-writes.js';
import { UpsertedValues, Upsert } from './upsert.js';
import type { Execute, WriteBuilder, WriteInterceptor } from './write-builders.js';
import { type WriteContext, type BuilderWrite, valueSetsOf } from './write-context.js';
import { isMySql } from '../rows/row-lock.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { concernedEvents } from './bulk-operation.js';

/**
 * Captures what query builders write, which TypeORM's hooks are not told. A write that is in no transaction gets one, so
 * that its events are atomic with it.
 */
export class CriteriaWrites implements WriteInterceptor {
  readonly #upserted = new UpsertedValues();

  constructor(private readonly context: WriteContext) {}

  /** Tells whether a row of values is inserted so that it may become an update, or nothing. */
  isUpserted(values: ObjectLiteral | undefined): boolean {
    return values !== undefined && this.#upserted.has(values);
  }

  write(builder: WriteBuilder, execute: Execute): Promise<unknown> {
    const { mainAlias, queryType } = builder.expressionMap;
    const write = { context: this.context, builder, metadata: mainAlias!.metadata, execute };
    switch (queryType) {
      case 'insert':
        return insert(write, this.#upserted);
      case 'update':
        return writeByCondition(write, 'update');
      case 'delete':
        return write.metadata.isJunction ? deleteLinks(write) : writeByCondition(write, 'delete');
      case 'soft-delete':
        return writeByCondition(write, 'softDelete');
      case 'restore':
        return writeByCondition(write, 'restore');
      default:
        return execute();
    }
  }
}

/**
 * Gives an insert its transaction; hooks report its rows. For an insert that may update or skip existing rows, it finds
 * out itself what has happened to each row, because hooks take all of them for new rows.
 *
 * @param upserted gets the rows whose hooks must be ignored
 */
function insert(write: BuilderWrite, upserted: UpsertedValues): Promise<unknown> {
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
          // Under the default isolation, reading before the insert would lock the gaps where rows do not exist yet.
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
