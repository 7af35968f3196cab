import type { EntityManager, ObjectLiteral, QueryRunner } from 'typeorm';
import { RowChange } from '../changes/row-change.js';
import type { EntityPlan } from '../plan/entity-plan.js';
import { removalOf, UNKNOWN_VALUE } from '../rows/changed-values.js';
import { rowKey } from '../rows/row-key.js';
import type { Field } from '../rows/typeorm-types.js';
import { changesOf } from './row-changes.js';
import { type SetValues, setValuesOf } from './set-values.js';
import { UpsertedRows } from './upserted-rows.js';
import type { WriteBuilder } from './write-builders.js';

/** An insert that updates or skips the rows that are there already. */
export class Upsert {
  readonly #set: Omit<SetValues, 'values'>;
  readonly #rows: UpsertedRows;
  /** What an update makes of the rows that are there already. */
  #updates: ReadonlyMap<string, RowChange> = new Map();

  constructor(
    private readonly plan: EntityPlan,
    private readonly builder: WriteBuilder,
    valueSets: readonly ObjectLiteral[],
  ) {
    const { metadata } = plan;
    const sets = valueSets.map((values) => setValuesOf(metadata, values));
    this.#set = {
      columns: [...new Set(sets.flatMap(({ columns }) => columns))],
      relations: [...new Set(sets.flatMap(({ relations }) => relations))],
    };
    this.#rows = new UpsertedRows(metadata, this.#set.relations, builder, valueSets);
  }

  /** Reads the rows that are there already. */
  async prepare(queryRunner: QueryRunner): Promise<void> {
    const { plan } = this;
    const updates = await changesOf({
      operation: 'update',
      metadata: plan.metadata,
      rows: await this.#rows.before(queryRunner.manager),
      plans: [plan],
      set: { ...this.#set, values: [] },
      given: {},
      queryRunner,
    });
    this.#updates = new Map(updates.map((change) => [change.key, change]));
  }

  /**
   * What the insert has done to each row.
   *
   * @param result of the insert
   */
  async changes(manager: EntityManager, result: unknown): Promise<RowChange[]> {
    const rows = await this.#rows.after(manager, (result as { readonly raw?: unknown }).raw);
    // The rows still have their unique values: one that is not found has got another id.
    const changes = [...this.#updates.values()]
      .filter(({ key }) => !rows.has(key))
      .map((change): RowChange => ({ ...change, did: 'remove', exact: undefined }));
    const { onIgnore } = this.builder.expressionMap;
    for (const [key, { row, isNew }] of rows) {
      const update = this.#updates.get(key);
      if (update === undefined) changes.push(this.#unforeseen(row, isNew === false && !onIgnore));
      else if (!onIgnore) {
        changes.push({ ...update, values: this.#valuesOf(row), exact: undefined });
      }
    }
    return changes;
  }

  /** @param isUpdated another transaction has inserted the row since those that were there were read */
  #unforeseen(row: ObjectLiteral, isUpdated: boolean): RowChange {
    const { plan } = this;
    return new RowChange({
      did: isUpdated ? 'update' : 'insert',
      plan,
      key: rowKey(plan.metadata, row)!,
      id: row,
      old: undefined,
      oldIsComplete: false,
      values: isUpdated ? this.#valuesOf(row) : removalOf(plan.metadata, row),
      exact: undefined,
    });
  }

  #valuesOf(row: ObjectLiteral): RowChange['values'] {
    return [...this.#set.columns, ...this.#set.relations].map((of) => ({
      of,
      // The row was read without hidden columns.
      value: isHidden(of) ? UNKNOWN_VALUE : (of.getEntityValue(row) as unknown),
    }));
  }
}

function isHidden(of: Field): boolean {
  return 'isSelect' in of && !of.isSelect;
}
