import type { DataSource, EntityMetadata, ObjectLiteral, QueryRunner } from 'typeorm';
import { areRowsColumns, isReturned, returned } from '../criteria/returning-writes.js';
import { hasHooks, type WriteBuilder, type WriteInterceptor } from '../criteria/write-builders.js';
import type { WriteContext } from '../criteria/write-context.js';
import type { EntityMessages } from '../messages/entity-messages.js';
import type { EntityPlan } from '../plan/entity-plan.js';
import { hasLoadHooks } from '../rows/read-back.js';
import { rowKey } from '../rows/row-key.js';
import type { OldRows, ReadRow } from './old-rows.js';

/** Null stands for a row that was not there. */
type Rows = Map<string, ReadRow | null>;

/**
 * Rows as they were before the updates of a save, which TypeORM has loaded before the transaction, and others may have
 * written since. On PostgreSQL the statement of the update answers its row itself, which saves reading and locking that.
 */
export class UpdatedRows implements WriteInterceptor {
  readonly #returned = new WeakMap<QueryRunner, Map<EntityMetadata, Rows>>();

  constructor(
    private readonly context: Pick<WriteContext, 'dataSource' | 'plan' | 'rules'>,
    private readonly oldRows: OldRows,
    private readonly messages: Pick<EntityMessages, 'mayBeHeard'>,
  ) {}

  write(builder: WriteBuilder, execute: () => Promise<unknown>): Promise<unknown> {
    const { mainAlias, queryType, whereEntities } = builder.expressionMap;
    const queryRunner = Reflect.get(builder, 'queryRunner') as QueryRunner | undefined;
    // The query builders of a save leave the hooks to it.
    if (queryType !== 'update' || hasHooks(builder) || queryRunner === undefined) return execute();
    const [id, ...others] = whereEntities;
    if (id === undefined || others.length > 0) return execute();
    const { dataSource, rules } = this.context;
    const plan = this.context.plan.entities.get(mainAlias!.metadata);
    if (plan === undefined || !returnsUpdates(dataSource, plan)) return execute();
    if (!this.messages.mayBeHeard(plan)) return execute();
    const make = (isReplaced: boolean): Promise<unknown> =>
      isReplaced || isReturned(builder) || hasLoadHooks(dataSource)
        ? this.#read({ queryRunner, plan, id, execute })
        : this.#return(builder, { queryRunner, plan, id, execute });
    const isReplaced = rules.areReplaced(plan.metadata, queryRunner);
    return typeof isReplaced === 'boolean' ? make(isReplaced) : isReplaced.then(make);
  }

  /** The row before its last update, once: null when it was not there, undefined when it was not answered. */
  extract(queryRunner: QueryRunner, { metadata }: EntityPlan, key: string) {
    const rows = this.#returned.get(queryRunner)?.get(metadata);
    const row = rows?.get(key);
    rows?.delete(key);
    return row;
  }

  /** The transaction has ended. */
  forget(queryRunner: QueryRunner): void {
    this.#returned.delete(queryRunner);
  }

  async #return(
    builder: WriteBuilder,
    { queryRunner, plan, id, execute }: Update,
  ): Promise<unknown> {
    const { metadata } = plan;
    const { result, rows } = await returned({ builder, metadata, execute }, plan);
    const [row] = rows;
    const all = this.#returned.get(queryRunner) ?? new Map<EntityMetadata, Rows>();
    this.#returned.set(queryRunner, all);
    const known: Rows = all.get(metadata) ?? new Map();
    all.set(metadata, known);
    const key = rowKey(metadata, row ?? id);
    if (key !== undefined) known.set(key, row === undefined ? null : { row, isComplete: false });
    return result;
  }

  async #read({ queryRunner, plan, id, execute }: Update): Promise<unknown> {
    if (plan.events.some(({ comparesBefore }) => comparesBefore)) {
      const { manager } = queryRunner;
      await this.oldRows.read({ queryRunner, manager }, plan, { events: [], id, keepsKeys: true });
    }
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
  return !plan.events.some(({ readsBefore }) => readsBefore) && areRowsColumns(dataSource, plan);
}
