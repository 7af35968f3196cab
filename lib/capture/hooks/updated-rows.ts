import type { DataSource, EntityMetadata, ObjectLiteral, QueryRunner } from 'typeorm';
import {
  areRowsColumns,
  isReturned,
  knowsOldValues,
  returned,
} from '../criteria/returning-writes.js';
import { hasHooks, type WriteBuilder, type WriteInterceptor } from '../criteria/write-builders.js';
import type { WriteContext } from '../criteria/write-context.js';
import type { EntityMessages } from '../messages/entity-messages.js';
import type { EntityPlan } from '../plan/entity-plan.js';
import { hasLoadHooks } from '../rows/read-back.js';
import { type Column, rowKey } from '../rows/row-key.js';
import { ARE_UPDATES_PLAIN, TableQuestion } from '../rows/table-question.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';
import type { OldRows, ReadRow } from './old-rows.js';

/** Null stands for a row that was not there, undefined for one that was updated twice before its hooks. */
type Rows = Map<string, ReadRow | null | undefined>;

/**
 * Rows as they were before the updates of a save, which TypeORM has loaded before the transaction, and others may have
 * written since. Since PostgreSQL 18 the statement of the update answers its row itself, which saves reading that.
 */
export class UpdatedRows implements WriteInterceptor {
  readonly #returned = new WeakMap<QueryRunner, Map<EntityMetadata, Rows>>();
  readonly #arePlain: TableQuestion;

  constructor(
    private readonly context: Pick<WriteContext, 'dataSource' | 'plan'>,
    private readonly oldRows: OldRows,
    private readonly messages: Pick<EntityMessages, 'mayBeHeard'>,
  ) {
    this.#arePlain = new TableQuestion(context.dataSource, ARE_UPDATES_PLAIN);
  }

  write(builder: WriteBuilder, execute: () => Promise<unknown>): Promise<unknown> {
    const { mainAlias, queryType, whereEntities } = builder.expressionMap;
    const queryRunner = Reflect.get(builder, 'queryRunner') as QueryRunner | undefined;
    // The query builders of a save leave the hooks to it.
    if (queryType !== 'update' || hasHooks(builder) || queryRunner === undefined) return execute();
    const [id, ...others] = whereEntities;
    if (id === undefined || others.length > 0) return execute();
    const plan = this.context.plan.entities.get(mainAlias!.metadata);
    if (plan === undefined || !returnsUpdates(this.context.dataSource, plan)) return execute();
    if (!this.messages.mayBeHeard(plan)) return execute();
    const update = { queryRunner, plan, id, execute };
    if (!this.#canReturn(builder, queryRunner)) return this.#read(update);
    const make = (isPlain: boolean): Promise<unknown> =>
      isPlain ? this.#return(builder, update) : this.#read(update);
    const isPlain = this.#arePlain.ask(plan.metadata, queryRunner);
    return typeof isPlain === 'boolean' ? make(isPlain) : isPlain.then(make);
  }

  /** The row before its last update, once: null when it was not there, undefined when it was not answered. */
  extract(queryRunner: QueryRunner, { metadata }: EntityPlan, key: string) {
    const rows = this.#returned.get(queryRunner)?.get(metadata);
    const row = rows?.get(key);
    if (row !== undefined) rows!.delete(key);
    return row;
  }

  /** The transaction has ended. */
  forget(queryRunner: QueryRunner): void {
    this.#returned.delete(queryRunner);
  }

  #canReturn(builder: WriteBuilder, queryRunner: QueryRunner): boolean {
    const { updateEntity } = builder.expressionMap;
    return (
      // Without the hook of an end, rows would be kept for good.
      queryRunner.isTransactionActive &&
      // Else TypeORM leaves the entity without the version and the date that the database has.
      updateEntity &&
      !isReturned(builder) &&
      !hasLoadHooks(this.context.dataSource)
    );
  }

  async #return(
    builder: WriteBuilder,
    { queryRunner, plan, id, execute }: Update,
  ): Promise<unknown> {
    const { metadata } = plan;
    const { columns: ofRow, keys: columns } = plan.readBack!;
    const { result, rows, others } = await returned({ builder, metadata, execute }, ofRow, columns);
    const [row] = rows;
    const all = this.#returned.get(queryRunner) ?? new Map<EntityMetadata, Rows>();
    this.#returned.set(queryRunner, all);
    const known: Rows = all.get(metadata) ?? new Map();
    all.set(metadata, known);
    const key = rowKey(metadata, row ?? id);
    if (key === undefined) return result;
    // All updates of a save come before its hooks.
    if (known.has(key)) known.set(key, undefined);
    else if (row === undefined) known.set(key, null);
    else known.set(key, { row, isComplete: false, keys: this.#keysOf(columns, others[0]!) });
    return result;
  }

  #keysOf(columns: readonly Column[], values: readonly unknown[]) {
    const { driver } = this.context.dataSource;
    return new Map(
      columns.map(({ relationMetadata, referencedColumn }, index): [RelationMetadata, unknown] => [
        relationMetadata!,
        driver.prepareHydratedValue(values[index], referencedColumn!) as unknown,
      ]),
    );
  }

  async #read({ queryRunner, plan, id, execute }: Update): Promise<unknown> {
    this.#returned.get(queryRunner)?.get(plan.metadata)?.delete(rowKey(plan.metadata, id)!);
    const { manager } = queryRunner;
    await this.oldRows.read({ queryRunner, manager }, plan, { events: [], id, keepsKeys: true });
    return execute();
  }
}

/** An update of one row by a save. */
interface Update {
  readonly queryRunner: QueryRunner;
  readonly plan: EntityPlan;
  readonly id: ObjectLiteral;
  readonly execute: () => Promise<unknown>;
}

/** Tells whether the updates of an entity's rows answer what events ask of the row before, if nothing else prevents that. */
export function returnsUpdates(dataSource: DataSource, plan: EntityPlan): boolean {
  return (
    !plan.events.some(({ readsBefore }) => readsBefore) &&
    areRowsColumns(dataSource, plan) &&
    knowsOldValues(dataSource)
  );
}
