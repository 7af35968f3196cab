import type { ObjectLiteral, QueryRunner } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { RowChange } from '../changes/row-change.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { type ChangedValue, removalOf } from '../rows/changed-values.js';
import { UNKNOWN_VALUE } from '../table/field-value.js';
import { rowKey } from '../rows/row-key.js';
import { asItIs } from '../../typeorm/index.js';
import type { Field } from '../rows/typeorm-types.js';
import { isReturned, returned } from './returning-writes.js';
import { changesOf } from './row-changes.js';
import { type SetValues, setValuesOf } from './set-values.js';
import { UpsertedRows } from './upserted-rows.js';
import type { BuilderWrite } from './write-context.js';

/** A connection of pg. */
interface Client {
  query(sql: string): Promise<unknown>;
}

/** What the insert has done. */
interface Made {
  readonly result: unknown;
  readonly changes: readonly RowChange[];
  /** The rows that it has updated, and that were not there when they were looked for. */
  readonly unforeseen: readonly ObjectLiteral[];
}

/** The updates that the insert is to make of rows that are there already, by their keys. */
type Updates = ReadonlyMap<string, RowChange>;

/** Each try waits for the transactions that were open before it. */
const MOST_TRIES = 10;

/** An insert that updates or skips the rows that are there already. */
export class Upsert {
  readonly #set: Omit<SetValues, 'values'>;
  readonly #rows: UpsertedRows;
  /** True if the insert is to hit rows that were written since its transaction has begun to read. */
  readonly #isAsItIs: boolean;

  constructor(
    private readonly write: BuilderWrite,
    private readonly plan: EntityPlan,
    private readonly valueSets: readonly ObjectLiteral[],
    private readonly queryRunner: QueryRunner,
  ) {
    const { metadata } = plan;
    const sets = valueSets.map((values) => setValuesOf(metadata, values));
    this.#set = {
      columns: [...new Set(sets.flatMap(({ columns }) => columns))],
      relations: [...new Set(sets.flatMap(({ relations }) => relations))],
    };
    this.#isAsItIs = !write.context.changes.hasSnapshot(queryRunner);
    this.#rows = new UpsertedRows(metadata, this.#set.relations, write.builder, valueSets);
  }

  /** Makes the insert. */
  async make(): Promise<Made> {
    if (this.#skips) return this.#make(this.#canReturn ? new Map() : await this.#before());
    return this.#isPostgres ? this.#makeForeseen() : this.#make(await this.#before());
  }

  /**
   * Makes the insert of PostgreSQL so that all rows that it updates were read and locked before. A row that another
   * transaction has inserted is not seen before that one has committed, and only the insert itself waits for that. So what
   * the insert has done is undone then, and made again.
   */
  async #makeForeseen(): Promise<Made> {
    const before = await this.#before();
    if (this.#rows.areAllAmong([...before.values()].map(({ id }) => id))) return this.#make(before);
    // Not by the query runner: the statements are none of the application's, whose loggers and subscribers see those.
    const client = (await this.queryRunner.connect()) as Client;
    const restore = this.#rememberValues();
    await client.query('SAVEPOINT thorn_upsert');
    let made = await this.#make(before);
    for (let tries = 1; made.unforeseen.length > 0 && tries < MOST_TRIES; tries++) {
      await client.query('ROLLBACK TO SAVEPOINT thorn_upsert');
      restore();
      made = await this.#make(await this.#before(made.unforeseen));
    }
    await client.query('RELEASE SAVEPOINT thorn_upsert');
    return made;
  }

  /** True if rows that are there stay as they are. */
  get #skips(): boolean {
    return this.write.builder.expressionMap.onIgnore;
  }

  /**
   * Reads the rows that are there already, and what an update makes of them.
   *
   * @param others rows that are read as well
   */
  #before(others: readonly ObjectLiteral[] = []): Promise<Updates> {
    const { context, metadata } = this.write;
    return context.read(metadata, 'upsert', async () => {
      const { plan, queryRunner } = this;
      const updates = await changesOf({
        operation: 'update',
        metadata: plan.metadata,
        rows: await this.#rows.before(queryRunner.manager, others, this.#isAsItIs),
        plans: [plan],
        set: { ...this.#set, values: [] },
        queryRunner,
      });
      return new Map(updates.map((change) => [change.key, change]));
    });
  }

  async #make(updates: Updates): Promise<Made> {
    const { result, hit } = await this.#execute();
    const { raw } = result as { readonly raw?: unknown };
    const rows = await this.#rows.after(this.queryRunner.manager, raw, hit ?? []);
    const hitKeys = hit && new Set(hit.map((id) => rowKey(this.plan.metadata, id)!));
    if (this.#skips) {
      const isInserted = hitKeys
        ? (key: string) => hitKeys.has(key)
        : this.#insertedAmong(updates, this.#isPostgres ? undefined : insertedBy(raw));
      const inserted = [...rows].filter(([key]) => isInserted(key));
      const changes = inserted.map(([, { row }]) => this.#change(row, false));
      return { result, changes, unforeseen: [] };
    }
    // The rows still have their unique values: one that is not found has got another id.
    const changes = [...updates.values()]
      .filter(({ key }) => !rows.has(key))
      .map((change): RowChange => ({ ...change, did: 'remove' }));
    const hasMoved = changes.length > 0;
    const unforeseen: ObjectLiteral[] = [];
    for (const [key, { row, isNew }] of rows) {
      const update = updates.get(key);
      if (hitKeys?.has(key) === false) continue;
      if (update !== undefined) {
        changes.push({ ...update, changed: this.plan.table.values(this.#valuesOf(row)) });
        continue;
      }
      const isUpdated = isNew === false && !hasMoved;
      if (isUpdated) unforeseen.push(row);
      changes.push(this.#change(row, isUpdated));
    }
    return { result, changes, unforeseen };
  }

  /**
   * Tells which rows were inserted, of an insert that skips others.
   *
   * @param updates of the rows that were there before
   * @param count of those that it has inserted, where the database tells that
   */
  #insertedAmong(updates: Updates, count: number | undefined): (key: string) => boolean {
    if (count === 0) return () => false;
    return count === this.valueSets.length ? () => true : (key) => !updates.has(key);
  }

  get #isPostgres(): boolean {
    return dataSourceOf(this.queryRunner).options.type === 'postgres';
  }

  /** True if the statement can answer the ids of the rows that it has inserted or updated. */
  get #canReturn(): boolean {
    return this.#isPostgres && !isReturned(this.write.builder);
  }

  /** @returns those ids as well */
  async #execute(): Promise<{ readonly result: unknown; readonly hit?: readonly ObjectLiteral[] }> {
    const { builder, metadata, execute } = this.write;
    if (!this.#canReturn) {
      return { result: await (this.#isAsItIs ? asItIs(builder, execute) : execute()) };
    }
    const { primaryColumns } = metadata;
    const { driver } = dataSourceOf(this.queryRunner);
    const { result, others } = await returned(this.write, [], primaryColumns);
    const hit = others.map((values) => {
      const id: ObjectLiteral = {};
      primaryColumns.forEach((column, index) => {
        const value: unknown = driver.prepareHydratedValue(values[index], column);
        column.setEntityValue(id, value);
      });
      return id;
    });
    return { result, hit };
  }

  /** @param isUpdated the row before is not known */
  #change(row: ObjectLiteral, isUpdated: boolean): RowChange {
    const { plan } = this;
    return new RowChange({
      did: isUpdated ? 'update' : 'insert',
      plan,
      key: rowKey(plan.metadata, row)!,
      id: row,
      before: undefined,
      isComplete: false,
      changed: plan.table.values(isUpdated ? this.#valuesOf(row) : removalOf(plan.metadata, row)),
    });
  }

  /** @returns gives the rows of values back what the insert fills in */
  #rememberValues(): () => void {
    const columns = this.plan.metadata.getInsertionReturningColumns();
    const known = this.valueSets.map((values) =>
      columns.map((column): unknown => column.getEntityValue(values)),
    );
    return () => {
      this.valueSets.forEach((values, index) => {
        columns.forEach((column, at) => column.setEntityValue(values, known[index]![at]));
      });
    };
  }

  #valuesOf(row: ObjectLiteral): ChangedValue[] {
    return [...this.#set.columns, ...this.#set.relations].map((of) => ({
      of,
      // The row was read without hidden columns.
      value: isHidden(of) ? UNKNOWN_VALUE : (of.getEntityValue(row) as unknown),
    }));
  }
}

/** The number of rows that an INSERT IGNORE has inserted, of a database that tells. */
function insertedBy(raw: unknown): number | undefined {
  if (Array.isArray(raw)) return raw.length;
  return (raw as { readonly affectedRows?: number } | undefined)?.affectedRows;
}

function isHidden(of: Field): boolean {
  return 'isSelect' in of && !of.isSelect;
}
