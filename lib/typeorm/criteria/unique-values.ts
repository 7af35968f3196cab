import type { DataSource, EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { type Column, keyPart, rowKey } from '../rows/row-key.js';
import { isMySql, isPostgres } from '../rows/row-lock.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';
import { rowsQuery } from './matched-rows.js';
import type { WriteBuilder } from './write-builders.js';

// They become a chain of ORs, and SQLite refuses expressions deeper than 1,000.
const CONDITIONS_PER_QUERY = 500;

const IS_OURS = 'thorn_is_ours';

/** A row's values of a key or a unique index, where it has all of them. */
interface UniqueValue {
  readonly columns: readonly Column[];
  readonly condition: ObjectLiteral;
  /** Equal for equal values. */
  readonly text: string;
}

/** Rows with a unique value of others, by {@link rowKey}. */
export type MeetingRows = ReadonlyMap<string, ObjectLiteral>;

/** The unique values of rows that an insert is about to write, and the rows of the table that have one of them. */
export class UniqueValues {
  readonly #dataSource: DataSource;
  /** The columns of each key and unique index, and those in which the insert looks for conflicts. */
  readonly #keys: readonly (readonly Column[])[];
  readonly #skips: boolean;
  /** The unique values of each row of values before the insert: it fills in others. */
  readonly #known = new Map<ObjectLiteral, readonly UniqueValue[]>();
  readonly #ours = new Set<string>();

  constructor(
    builder: WriteBuilder,
    private readonly metadata: EntityMetadata,
    private readonly manager: EntityManager,
    valueSets: readonly ObjectLiteral[],
  ) {
    this.#dataSource = dataSourceOf(manager);
    const { onIgnore, onUpdate } = builder.expressionMap;
    this.#skips = onIgnore;
    const written = new Set(writtenColumns(builder, metadata, this.#dataSource));
    const { conflict } = (onUpdate as { readonly conflict?: unknown } | undefined) ?? {};
    const target = Array.isArray(conflict)
      ? conflict.map((name) => metadata.findColumnWithDatabaseName(String(name)))
      : [];
    this.#keys = [
      metadata.primaryColumns,
      ...metadata.uniques.map(({ columns }) => columns),
      ...metadata.indices.filter(({ isUnique }) => isUnique).map(({ columns }) => columns),
      target.filter((column) => column !== null && column !== undefined),
    ].filter((columns) => columns.length > 0 && columns.every((column) => written.has(column)));
    for (const values of valueSets) this.#known.set(values, this.#valuesOf(values));
  }

  /** Tells whether a row of values has any: others conflict with nothing. */
  has(values: ObjectLiteral): boolean {
    return this.#knownOf(values).length > 0;
  }

  /**
   * Tells whether rows of values still have the unique values that they had before the insert. What TypeORM fills in does
   * not count: without RETURNING, it may give several rows the values of each other.
   */
  areAsBefore(valueSets: readonly ObjectLiteral[]): boolean {
    const mixesUp =
      valueSets.length > 1 && !this.#dataSource.driver.isReturningSqlSupported('insert');
    const { primaryColumns } = this.metadata;
    const filledIn = new Set([
      ...(mixesUp ? primaryColumns : primaryColumns.filter(({ isGenerated }) => isGenerated)),
      ...this.metadata.getInsertionReturningColumns(),
    ]);
    return valueSets.every((values) => {
      const texts = new Set(this.#valuesOf(values).map(({ text }) => text));
      return this.#knownOf(values).every(
        ({ text, columns }) => texts.has(text) || columns.some((column) => filledIn.has(column)),
      );
    });
  }

  /**
   * The rows that have a unique value of some rows of values.
   *
   * @param isBefore true before the insert: nobody else may change or delete them. After it they are read as they are
   */
  async rows(
    valueSets: readonly ObjectLiteral[],
    { relations, isBefore }: { relations: readonly RelationMetadata[]; isBefore: boolean },
  ): Promise<Map<string, ObjectLiteral>> {
    const rows = new Map<string, ObjectLiteral>();
    const { driver } = this.#dataSource;
    const wanted = valueSets.flatMap((values) => this.#knownOf(values));
    // A query for each key: with a choice of several, MySQL reads, and locks, the whole table.
    for (const columns of this.#keys) {
      const ofKey = wanted.filter((value) => value.columns === columns);
      for (let start = 0; start < ofKey.length; start += CONDITIONS_PER_QUERY) {
        const page = ofKey.slice(start, start + CONDITIONS_PER_QUERY);
        const conditions = page.map(({ condition }) => condition);
        const query = rowsQuery(this.manager, this.metadata, relations).where(conditions);
        this.#lock(query, isBefore);
        const asksWhose = !isBefore && this.#skips && isPostgres(this.#dataSource);
        if (asksWhose) query.addSelect(oursOf(driver.escape(query.alias)), IS_OURS);
        const { entities, raw } = await query.getRawAndEntities<ObjectLiteral>();
        entities.forEach((row, index) => {
          const key = rowKey(this.metadata, row)!;
          rows.set(key, row);
          if (asksWhose && raw[index]?.[IS_OURS] === true) this.#ours.add(key);
        });
      }
    }
    return rows;
  }

  /** Tells whether the row with a key, as it was read after the insert, was inserted by the transaction. PostgreSQL alone. */
  isOurs(key: string): boolean {
    return this.#ours.has(key);
  }

  /** The rows of values that meet one of some rows, or a row of values before them. */
  async meeting(
    valueSets: readonly ObjectLiteral[],
    rows: MeetingRows,
  ): Promise<readonly ObjectLiteral[]> {
    const known = new Set([...rows.values()].flatMap((row) => this.#textsOf(row)));
    const met = new Set<string>();
    const meeting: ObjectLiteral[] = [];
    const others: ObjectLiteral[] = [];
    for (const values of valueSets) {
      const texts = this.#knownOf(values).map(({ text }) => text);
      const common = texts.filter((text) => known.has(text));
      for (const text of common) met.add(text);
      (common.length > 0 ? meeting : others).push(values);
      for (const text of texts) known.add(text);
    }
    const isMet = (row: ObjectLiteral) => this.#textsOf(row).some((text) => met.has(text));
    if ([...rows.values()].every(isMet)) return meeting;
    // The database takes values for the same that differ here, as with another case of letters.
    for (const values of others) {
      const found = await this.rows([values], { relations: [], isBefore: true });
      if (found.size > 0) meeting.push(values);
    }
    return meeting;
  }

  #lock(query: ReturnType<typeof rowsQuery>, isBefore: boolean): void {
    // Of rows that stay as they are, nobody else may change the key.
    if (isPostgres(this.#dataSource) && isBefore) {
      query.setLock(this.#skips ? 'for_key_share' : 'for_no_key_update');
    }
    // Without a lock, MySQL would begin a snapshot for the rest of the application's transaction.
    if (isMySql(this.#dataSource)) query.setLock('pessimistic_write');
  }

  #knownOf(values: ObjectLiteral): readonly UniqueValue[] {
    return this.#known.get(values) ?? [];
  }

  #textsOf(row: ObjectLiteral): string[] {
    return this.#valuesOf(row).map(({ text }) => text);
  }

  #valuesOf(row: ObjectLiteral): UniqueValue[] {
    return this.#keys.flatMap((columns, index) => {
      const condition = conditionOf(columns, row);
      if (condition === undefined) return [];
      const parts = columns.map((column) => keyPart(column.getEntityValue(condition), column));
      return [{ columns, condition, text: `${index}:${JSON.stringify(parts)}` }];
    });
  }
}

/** Undefined where a value is missing: null equals nothing, and a default or an expression is not known before. */
function conditionOf(columns: readonly Column[], values: ObjectLiteral): ObjectLiteral | undefined {
  const condition: ObjectLiteral = {};
  for (const column of columns) {
    const value: unknown = column.getEntityValue(values);
    if (value === undefined || value === null || typeof value === 'function') return undefined;
    column.setEntityValue(condition, value);
  }
  return condition;
}

/** The columns that an insert writes. On PostgreSQL, TypeORM leaves out an id that counts up, even if it is given. */
function writtenColumns(
  { expressionMap: { insertColumns } }: WriteBuilder,
  { columns }: EntityMetadata,
  dataSource: DataSource,
): readonly Column[] {
  if (insertColumns.length > 0) {
    return columns.filter(({ propertyPath }) => insertColumns.includes(propertyPath));
  }
  const countsUp = isPostgres(dataSource);
  return columns.filter(
    ({ isInsert, isGenerated, generationStrategy }) =>
      isInsert && !(countsUp && isGenerated && generationStrategy === 'increment'),
  );
}

/** SQL that tells whether a row was inserted by the transaction that is open, or a savepoint of it. */
function oursOf(alias: string): string {
  return `CASE WHEN age(${alias}.xmin) < 1 THEN txid_status(txid_current() - age(${alias}.xmin)) = 'in progress' ELSE false END`;
}
