import {
  type InsertQueryBuilder,
  type InsertResult,
  InsertResult as Result,
  type ObjectLiteral,
  type QueryResult,
  type QueryRunner,
} from 'typeorm';
import { isTaken } from '../../database/database-errors.js';
import { readComplete } from '../entities/rows-before.js';
import { RowChange } from '../../capture/changes/row-change.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { type ChangedValue, removalOf, setRelation } from '../rows/entity-values.js';
import { UNKNOWN_VALUE } from '../../capture/table/row-table.js';
import { hasRowLocks } from '../rows/row-lock.js';
import type { Field, RelationMetadata } from '../rows/columns.js';
import { type SetValues, setValuesOf } from './set-values.js';
import { type MeetingRows, UniqueValues } from './unique-values.js';
import { type BuilderWrite, valueSetsOf } from './write-context.js';
import { WriteUnclearError } from '../errors.js';

type InsertBuilder = InsertQueryBuilder<ObjectLiteral>;

/**
 * An insert that updates or skips the rows that are there already:
 *
 * 1. reads the rows that have a unique value of its rows of values, and locks them;
 * 2. inserts the rows of values that meet none as they are. Where the database then knows of a row with such a value,
 *    another transaction has inserted it meanwhile, and the upsert is refused;
 * 3. lets the statement of the application update or skip the rows that were met;
 * 4. reads these rows again, and collects their changes.
 *
 * On SQLite nobody else writes in between: the statement of the application is made for all rows of values, and a row that
 * is there after it and was not before is a new one.
 */
export class Upsert {
  readonly #valueSets: readonly ObjectLiteral[];
  readonly #unique: UniqueValues;

  constructor(
    private readonly write: BuilderWrite,
    private readonly plan: EntityPlan,
    private readonly queryRunner: QueryRunner,
    private readonly upserted: UpsertedValues,
  ) {
    this.#valueSets = valueSetsOf(write.builder);
    this.#unique = new UniqueValues(
      write.builder,
      plan.metadata,
      queryRunner.manager,
      this.#valueSets,
    );
  }

  /** Makes the insert, and collects its changes. @throws {@link WriteUnclearError} (rejects) */
  async make(): Promise<unknown> {
    const { context, metadata } = this.write;
    const hooksMaySet = context.hasHooks(metadata, 'beforeInsert');
    const relations = hooksMaySet ? metadata.relationsWithJoinColumns : this.#set().relations;
    const before = await context.read(metadata, 'upsert', () =>
      this.#unique.rowsBefore(this.#valueSets, relations),
    );
    const complete = await context.read(metadata, 'upsert', () =>
      this.#complete([...before.values()], relations),
    );
    const meeting = await this.#meeting(before);
    const result = await this.#execute(meeting);
    if (this.#isChangedByHook) {
      context.refuse(this.queryRunner, WriteUnclearError.ofHook(metadata.name));
    }
    const after = await context.read(metadata, 'upsert', () =>
      this.#unique.rows([...meeting], { relations, isBefore: false }),
    );
    const set = this.#set();
    for (const relation of relations) {
      if (set.relations.includes(relation)) continue;
      for (const row of before.values()) setRelation(row, relation, undefined);
    }
    context.collect(this.queryRunner, this.#changes({ before, complete, after, set }));
    return result;
  }

  /** True if rows that are there stay as they are. */
  get #skips(): boolean {
    return this.write.builder.expressionMap.onIgnore;
  }

  get #isChangedByHook(): boolean {
    const { context, metadata } = this.write;
    const mayBe = context.hasHooks(metadata, 'beforeInsert');
    return mayBe && !this.#unique.areAsBefore(this.#valueSets);
  }

  /** The fields that any of the rows of values sets. */
  #set(): Omit<SetValues, 'values'> {
    const sets = this.#valueSets.map((values) => setValuesOf(this.plan.metadata, values));
    return {
      columns: [...new Set(sets.flatMap(({ columns }) => columns))],
      relations: [...new Set(sets.flatMap(({ relations }) => relations))],
    };
  }

  /** Adds the relations that events compare to the old rows. */
  #complete(
    rows: readonly ObjectLiteral[],
    relations: readonly RelationMetadata[],
  ): Promise<ReadonlyMap<string, ObjectLiteral>> {
    const { metadata, events } = this.plan;
    const ofChange = events.filter(({ readsBefore }) => readsBefore);
    return readComplete(this.queryRunner.manager, metadata, rows, ofChange, relations);
  }

  /** The rows of values that the application's own statement is made for. */
  async #meeting(before: MeetingRows): Promise<ReadonlySet<ObjectLiteral>> {
    const unique = this.#valueSets.filter((values) => this.#unique.has(values));
    const isAlone = !hasRowLocks(this.write.context.dataSource);
    return new Set(isAlone ? unique : await this.#unique.meeting(unique, before));
  }

  async #execute(meeting: ReadonlySet<ObjectLiteral>): Promise<InsertResult> {
    const parts: Part[] = [];
    for (const values of this.#fresh(meeting)) {
      parts.push({ values, result: await this.#insert(values) });
    }
    const met = this.#valueSets.filter((values) => meeting.has(values));
    if (met.length > 0) {
      const own = this.write.builder.clone().setQueryRunner(this.queryRunner) as InsertBuilder;
      if (parts.length > 0) {
        own.values(met);
        // Without RETURNING, TypeORM fails when every row is skipped.
        if (!this.write.context.canReturn) own.updateEntity(false);
      }
      const make = () => this.write.execute(own) as Promise<InsertResult>;
      parts.push({ values: met, result: await this.upserted.during(met, make) });
    }
    return parts.length === 1 ? parts[0]!.result : this.#merged(parts);
  }

  /** The rows of values that meet no row, in the parts that are inserted together. */
  #fresh(meeting: ReadonlySet<ObjectLiteral>): readonly ObjectLiteral[][] {
    const fresh = this.#valueSets.filter((values) => !meeting.has(values));
    if (this.write.context.canReturn) return fresh.length === 0 ? [] : [fresh];
    // Without RETURNING, TypeORM counts ids up from the first one of an insert, even for rows that have an id of their
    // own.
    const parts = [true, false].map((has) =>
      fresh.filter((values) => this.#unique.has(values) === has),
    );
    return parts.filter(({ length }) => length > 0);
  }

  /** Inserts the rows that conflict with no existing row. Hooks report them. */
  async #insert(values: ObjectLiteral[]): Promise<InsertResult> {
    const { builder, metadata, execute, context } = this.write;
    const { insertColumns, updateEntity, returning, comment } = builder.expressionMap;
    const own = this.queryRunner.manager
      .createQueryBuilder()
      .insert()
      .into(metadata.target, insertColumns)
      .values(values)
      .updateEntity(updateEntity);
    if (returning) own.returning(returning);
    if (comment) own.comment(comment);
    try {
      return (await execute(own)) as InsertResult;
    } catch (error) {
      if (!isTaken(error)) throw error;
      return context.refuse(
        this.queryRunner,
        this.#isChangedByHook
          ? WriteUnclearError.ofHook(metadata.name)
          : WriteUnclearError.ofRace(metadata.name, error),
      );
    }
  }

  /** Makes one result of the results of several statements, in the order of the given rows. */
  #merged(parts: readonly Part[]): InsertResult {
    const inOrder = <Value>(of: (result: InsertResult) => readonly Value[]): Value[] => {
      const left = parts.map(({ values, result }) => ({
        values: new Set(values),
        of: [...of(result)],
      }));
      return this.#valueSets
        .map((values) => left.find((part) => part.values.has(values))?.of.shift())
        .filter((value) => value !== undefined);
    };
    // The raw result of the application's own statement.
    const raw: unknown = parts.at(-1)!.result.raw;
    const result = Result.from({
      raw: Array.isArray(raw) ? inOrder((one) => one.raw as unknown[]) : raw,
    } as QueryResult);
    result.identifiers.push(...inOrder(({ identifiers }) => identifiers));
    result.generatedMaps.push(...inOrder(({ generatedMaps }) => generatedMaps));
    return result;
  }

  #changes({ before, complete, after, set }: Rows): readonly RowChange[] {
    const { metadata } = this.plan;
    const changes = [...after]
      .filter(([key]) => !before.has(key))
      .map(([key, row]) => this.#change('insert', key, { row, values: removalOf(metadata, row) }));
    if (this.#skips) return changes;
    for (const [key, row] of before) {
      const now = after.get(key);
      const old = complete.get(key);
      const known = { row, before: old ?? row, isComplete: old !== undefined };
      changes.push(
        now === undefined
          ? // The row still has its unique values: it has got another id.
            this.#change('remove', key, { ...known, values: [] })
          : this.#change('update', key, { ...known, values: valuesOf(now, set) }),
      );
    }
    return changes;
  }

  #change(
    did: RowChange['did'],
    key: string,
    {
      row,
      values,
      before,
      isComplete = false,
    }: { row: ObjectLiteral; values: readonly ChangedValue[] } & Partial<
      Pick<RowChange, 'before' | 'isComplete'>
    >,
  ): RowChange {
    const { plan } = this;
    const changed = plan.table.values(values);
    return new RowChange({ did, plan, key, id: row, before, isComplete, changed });
  }
}

/** The rows that one statement inserts. */
interface Part {
  readonly values: ObjectLiteral[];
  readonly result: InsertResult;
}

interface Rows {
  readonly before: MeetingRows;
  /** The rows with everything that events compare, where columns alone are not enough. */
  readonly complete: ReadonlyMap<string, ObjectLiteral>;
  readonly after: MeetingRows;
  readonly set: Omit<SetValues, 'values'>;
}

function valuesOf(
  row: ObjectLiteral,
  { columns, relations }: Omit<SetValues, 'values'>,
): ChangedValue[] {
  return [...columns, ...relations].map((of) => ({
    of,
    // The row was read without hidden columns.
    value: isHidden(of) ? UNKNOWN_VALUE : (of.getEntityValue(row) as unknown),
  }));
}

function isHidden(of: Field): boolean {
  return 'isSelect' in of && !of.isSelect;
}

/**
 * New rows that are being inserted by a statement that may update or skip existing rows instead. The hooks of such an
 * insert take all of them for new rows, so their reports are ignored.
 */
export class UpsertedValues {
  /** The number of inserts for each object: an application may pass one object to several inserts at the same time. */
  readonly #inserts = new Map<object, number>();

  has(values: object): boolean {
    return this.#inserts.has(values);
  }

  /** Makes an insert. Afterwards its rows of values may be inserted as new rows. */
  async during<Result>(
    valueSets: readonly object[],
    insert: () => Promise<Result>,
  ): Promise<Result> {
    for (const values of valueSets) this.#inserts.set(values, this.#of(values) + 1);
    try {
      return await insert();
    } finally {
      for (const values of valueSets) {
        const left = this.#of(values) - 1;
        if (left > 0) this.#inserts.set(values, left);
        else this.#inserts.delete(values);
      }
    }
  }

  #of(values: object): number {
    return this.#inserts.get(values) ?? 0;
  }
}
