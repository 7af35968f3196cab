import type { EntityManager, EntityMetadata, FindOperator, ObjectLiteral } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import type { Column } from '../rows/row-key.js';
import { isReadInFull, keyPart, rowKey } from '../rows/row-key.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';
import { rowsQuery } from './matched-rows.js';
import { isMySql, lock } from '../rows/row-lock.js';
import { asItIs, Between, MoreThan } from '../../typeorm/index.js';
import type { WriteBuilder } from './write-builders.js';

// They become a chain of ORs, and SQLite refuses expressions deeper than 1,000.
const CONDITIONS_PER_QUERY = 500;

const IS_NEW = 'thorn_is_new';

/** A row after an insert that may have updated or skipped it. */
interface UpsertedRow {
  readonly row: ObjectLiteral;
  /** False for one that was there already; undefined where only a look before the insert can tell. */
  readonly isNew: boolean | undefined;
}

/** Finds the rows of the table that have a unique value in common with rows that are to be inserted. */
export class UpsertedRows {
  readonly #keys: readonly (readonly Column[])[];
  readonly #conditions: readonly ObjectLiteral[];
  /** The columns that a conflict is looked for in, where they are named. */
  readonly #target: readonly Column[];
  /** Rows of values that conflict with no other: their ids are known once they are inserted. */
  readonly #others: readonly ObjectLiteral[];
  readonly #written: ReadonlySet<Column>;
  /** True if the rows that are there are updated. */
  readonly #locks: boolean;
  /** The column of the key that counts up, if there is one. */
  readonly #counter: Column | undefined;
  /** Its value in each row of values, `NaN` where there is none: TypeORM fills in others later. */
  readonly #given: readonly number[];
  /** Where it stood before the insert, on a database that does not answer what it has inserted. */
  #counted = 0;

  constructor(
    private readonly metadata: EntityMetadata,
    private readonly relations: readonly RelationMetadata[],
    builder: WriteBuilder,
    private readonly valueSets: readonly ObjectLiteral[],
  ) {
    const { onUpdate, onIgnore } = builder.expressionMap;
    this.#locks = !onIgnore;
    this.#written = new Set(
      // On PostgreSQL, TypeORM leaves out the id that is given of a column that counts up.
      (Reflect.get(builder, 'getInsertedColumns') as () => Column[]).call(builder),
    );
    this.#counter = metadata.primaryColumns.find(
      ({ isGenerated, generationStrategy }) => isGenerated && generationStrategy === 'increment',
    );
    this.#given = valueSets.map((values) => Number(this.#counter?.getEntityValue(values)));
    const { conflict } = (onUpdate as { readonly conflict?: unknown } | undefined) ?? {};
    const named = Array.isArray(conflict)
      ? conflict.map((name) => metadata.findColumnWithDatabaseName(String(name)))
      : [];
    this.#target = named.filter((column) => column !== null && column !== undefined);
    this.#keys = [
      metadata.primaryColumns,
      ...metadata.uniques.map(({ columns }) => columns),
      ...metadata.indices.filter(({ isUnique }) => isUnique).map(({ columns }) => columns),
      this.#target,
    ].filter(({ length }) => length > 0);
    const found = valueSets.map((values) => this.#conditionsOf(values));
    this.#conditions = found.flat();
    this.#others = valueSets.filter((_, index) => found[index]!.length === 0);
  }

  /**
   * The rows as they are before the insert, locked if it may update them.
   *
   * @param others rows that are read as well
   * @param isAsItIs reads what was written since the transaction has begun to read
   */
  async before(
    manager: EntityManager,
    others: readonly ObjectLiteral[],
    isAsItIs: boolean,
  ): Promise<ObjectLiteral[]> {
    const rows: ObjectLiteral[] = [];
    const dataSource = dataSourceOf(manager);
    const isLockedLater = isMySql(dataSource);
    for (const query of this.#queries(manager, [...this.#conditions, ...this.#idsOf(others)])) {
      if (!isLockedLater && this.#locks) lock(query, dataSource, true);
      rows.push(...(await query.getMany()));
    }
    await this.#readCounter(manager);
    if (!isLockedLater || !this.#locks) return rows;
    // MySQL would lock the gap where a row is missing, and two such inserts would wait for each other.
    const locked: ObjectLiteral[] = [];
    for (const query of this.#queries(manager, this.#idsOf(rows))) {
      lock(query, dataSource, true);
      locked.push(...(await (isAsItIs ? asItIs(query, () => query.getMany()) : query.getMany())));
    }
    return locked;
  }

  /** Tells whether each row of values meets one of some rows where conflicts are looked for. */
  areAllAmong(rows: readonly ObjectLiteral[]): boolean {
    const columns = this.#target;
    if (columns.length === 0 || !columns.every(isReadInFull)) return false;
    const keyOf = (row: ObjectLiteral): string | undefined => {
      const values = columns.map((column): unknown => column.getEntityValue(row));
      if (values.some((value) => value === undefined || value === null)) return undefined;
      return JSON.stringify(values.map((value, index) => keyPart(value, columns[index]!)));
    };
    const keys = new Set(rows.map(keyOf));
    return this.valueSets.map(keyOf).every((key) => key !== undefined && keys.has(key));
  }

  /**
   * The rows as they are after the insert, by {@link rowKey}.
   *
   * @param raw what the database has answered to the insert
   * @param hit the ids of the rows that it has inserted or updated, where they are known
   */
  async after(
    manager: EntityManager,
    raw: unknown,
    hit: readonly ObjectLiteral[],
  ): Promise<Map<string, UpsertedRow>> {
    const rows = new Map<string, UpsertedRow>();
    const { driver, options } = dataSourceOf(manager);
    const knowsNew = options.type === 'postgres';
    const isFound = this.#others.length === 0 || hit.length > 0;
    const inserted = isFound ? this.#idsOf(hit) : this.#inserted(manager, raw);
    for (const query of this.#queries(manager, [...this.#conditions, ...inserted])) {
      // PostgreSQL locks the row of a conflict, and so leaves its transaction's id there.
      if (knowsNew) query.addSelect(`${driver.escape(query.alias)}.xmax = 0`, IS_NEW);
      const { entities, raw } = await query.getRawAndEntities<ObjectLiteral>();
      entities.forEach((row, index) => {
        const isNew = knowsNew ? raw[index]?.[IS_NEW] !== false : undefined;
        rows.set(rowKey(this.metadata, row)!, { row, isNew });
      });
    }
    return rows;
  }

  #idsOf(rows: readonly ObjectLiteral[]): ObjectLiteral[] {
    return rows.map((row) => this.metadata.getEntityIdMap(row)!);
  }

  async #readCounter(manager: EntityManager): Promise<void> {
    const { driver } = dataSourceOf(manager);
    if (this.#counter === undefined || this.#others.length === 0) return;
    if (isMySql(dataSourceOf(manager)) || driver.isReturningSqlSupported('insert')) return;
    const highest = `MAX(${driver.escape(this.#counter.databaseName)})`;
    const query = rowsQuery(manager, this.metadata, []).select(highest, 'highest');
    const found = await query.getRawOne<{ highest: unknown }>();
    this.#counted = Number(found?.highest ?? 0);
  }

  /**
   * Conditions for the rows that the insert has made of {@link #others}. TypeORM cannot tell their ids: it takes each row
   * of values for one that was inserted.
   */
  #inserted(manager: EntityManager, raw: unknown): ObjectLiteral[] {
    if (Array.isArray(raw)) {
      const answered = raw.map((row: ObjectLiteral) => this.#idOf(manager, row));
      if (answered.every((id) => id !== undefined)) return answered;
    } else if (this.#counter !== undefined) {
      const counter = this.#counter;
      return this.#countedBy(raw).map((numbers) => {
        const condition: ObjectLiteral = {};
        counter.setEntityValue(condition, numbers);
        return condition;
      });
    }
    return this.#others.flatMap((values) => this.#conditionsOf(values, true));
  }

  /** The numbers that the key may have got, of a database that answers the first one at most. */
  #countedBy(raw: unknown): FindOperator<number>[] {
    const { insertId } = (raw ?? {}) as { readonly insertId?: number };
    if (insertId === undefined) return [MoreThan(this.#counted)];
    // MySQL counts on from there.
    const firsts = [insertId, ...this.#given.filter((number) => number > insertId)];
    // No other insert gets a number between those of these rows.
    return firsts.map((first) => Between(first, first + this.#given.length - 1));
  }

  /** The id in a row that the database has answered; undefined when it does not tell the row from others. */
  #idOf(manager: EntityManager, answered: ObjectLiteral): ObjectLiteral | undefined {
    const { primaryColumns } = this.metadata;
    const known = primaryColumns.filter(({ databaseName }) => databaseName in answered);
    const isEnough =
      known.length === primaryColumns.length || known.some(({ isGenerated }) => isGenerated);
    if (!isEnough) return undefined;
    const { driver } = dataSourceOf(manager);
    const id: ObjectLiteral = {};
    for (const column of known) {
      const value: unknown = driver.prepareHydratedValue(answered[column.databaseName], column);
      column.setEntityValue(id, value);
    }
    return id;
  }

  /** Queries for the rows that meet conditions: each row once in each of them. */
  #queries(manager: EntityManager, conditions: readonly ObjectLiteral[]) {
    const pages = Math.ceil(conditions.length / CONDITIONS_PER_QUERY);
    return Array.from({ length: pages }, (_, page) =>
      rowsQuery(manager, this.metadata, this.relations).where(
        conditions.slice(page * CONDITIONS_PER_QUERY, (page + 1) * CONDITIONS_PER_QUERY),
      ),
    );
  }

  #conditionsOf(values: ObjectLiteral, isInserted = false): ObjectLiteral[] {
    return this.#keys.flatMap((columns) => {
      const condition: ObjectLiteral = {};
      for (const column of columns) {
        const value: unknown = column.getEntityValue(values);
        // Null equals nothing, not even null; a default or an expression is not known before.
        if (value === undefined || value === null || typeof value === 'function') return [];
        if (!isInserted && !this.#written.has(column)) return [];
        column.setEntityValue(condition, value);
      }
      return [condition];
    });
  }
}
