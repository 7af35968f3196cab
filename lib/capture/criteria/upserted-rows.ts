import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import type { Column } from '../rows/row-key.js';
import { rowKey } from '../rows/row-key.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';
import { rowsQuery } from './matched-rows.js';
import { isMySql, lock } from '../rows/row-lock.js';
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
  /** Rows of values that conflict with no other: their ids are known once they are inserted. */
  readonly #others: readonly ObjectLiteral[];

  constructor(
    private readonly metadata: EntityMetadata,
    private readonly relations: readonly RelationMetadata[],
    { expressionMap: { onUpdate } }: WriteBuilder,
    valueSets: readonly ObjectLiteral[],
  ) {
    const { conflict } = (onUpdate as { readonly conflict?: unknown } | undefined) ?? {};
    const named = Array.isArray(conflict)
      ? conflict.map((name) => metadata.findColumnWithDatabaseName(String(name)))
      : [];
    this.#keys = [
      metadata.primaryColumns,
      ...metadata.uniques.map(({ columns }) => columns),
      ...metadata.indices.filter(({ isUnique }) => isUnique).map(({ columns }) => columns),
      named.filter((column) => column !== null && column !== undefined),
    ].filter(({ length }) => length > 0);
    const found = valueSets.map((values) => this.#conditionsOf(values));
    this.#conditions = found.flat();
    this.#others = valueSets.filter((_, index) => found[index]!.length === 0);
  }

  /** The rows as they are before the insert, locked. */
  async before(manager: EntityManager): Promise<ObjectLiteral[]> {
    const rows: ObjectLiteral[] = [];
    const dataSource = dataSourceOf(manager);
    for (const query of this.#queries(manager, this.#conditions)) {
      // MySQL would lock the gap where a row is missing, and two such inserts would wait for each other.
      if (!isMySql(dataSource)) lock(query, dataSource, true);
      rows.push(...(await query.getMany()));
    }
    return rows;
  }

  /** The rows as they are after the insert, by {@link rowKey}. */
  async after(manager: EntityManager): Promise<Map<string, UpsertedRow>> {
    const rows = new Map<string, UpsertedRow>();
    const { driver, options } = dataSourceOf(manager);
    const inserted = this.#others.flatMap((values) => this.#conditionsOf(values));
    for (const query of this.#queries(manager, [...this.#conditions, ...inserted])) {
      // PostgreSQL locks the row of a conflict, and so leaves its transaction's id there.
      const knowsNew = options.type === 'postgres';
      if (knowsNew) query.addSelect(`${driver.escape(query.alias)}.xmax = 0`, IS_NEW);
      const { entities, raw } = await query.getRawAndEntities<ObjectLiteral>();
      entities.forEach((row, index) => {
        const isNew = knowsNew ? raw[index]?.[IS_NEW] !== false : undefined;
        rows.set(rowKey(this.metadata, row)!, { row, isNew });
      });
    }
    return rows;
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

  #conditionsOf(values: ObjectLiteral): ObjectLiteral[] {
    return this.#keys.flatMap((columns) => {
      const condition: ObjectLiteral = {};
      for (const column of columns) {
        const value: unknown = column.getEntityValue(values);
        // Null equals nothing, not even null; a default or an expression is not known before.
        if (value === undefined || value === null || typeof value === 'function') return [];
        column.setEntityValue(condition, value);
      }
      return [condition];
    });
  }
}
