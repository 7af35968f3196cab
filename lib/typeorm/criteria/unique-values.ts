import type { DataSource, EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { type Column, keyPart, entityRowKey, type RelationMetadata } from '../rows/columns.js';
import { isMySql, isPostgres } from '../rows/row-lock.js';
import { rowsQuery } from './matched-rows.js';
import type { WriteBuilder } from './write-builders.js';

// They become a chain of ORs, and SQLite refuses expressions deeper than 1,000.
const CONDITIONS_PER_QUERY = 500;

/** A primary key, a unique index, or the columns in which an insert looks for conflicts. */
interface UniqueKey {
  readonly columns: readonly Column[];
  /** The condition of a partial index, as its entity declares it: other rows conflict with nothing. */
  readonly where: string | undefined;
}

/** The values of one unique key, for a row that has all of them. */
interface UniqueValue {
  readonly key: UniqueKey;
  readonly condition: ObjectLiteral;
  /** Equal for equal values. */
  readonly text: string;
}

/** Existing rows that have a unique value of a new row, by {@link entityRowKey}. */
export type MeetingRows = ReadonlyMap<string, ObjectLiteral>;

/** The unique values of rows that an insert is about to write, and the existing rows that have one of them. */
export class UniqueValues {
  readonly #dataSource: DataSource;
  readonly #keys: readonly UniqueKey[];
  readonly #skips: boolean;
  /** The unique values of each new row before the insert, which may fill in further values. */
  readonly #known = new Map<ObjectLiteral, readonly UniqueValue[]>();

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
    this.#keys = keysOf(metadata, onUpdate as Conflicts | undefined)
      .filter(({ columns }) => columns.length > 0 && columns.every((one) => written.has(one)))
      // MySQL has no partial indexes: TypeORM makes whole ones there.
      .map((key) => (isMySql(this.#dataSource) ? { ...key, where: undefined } : key));
    for (const values of valueSets) this.#known.set(values, this.#valuesOf(values));
  }

  /** Tells whether a new row has unique values. A row without any cannot conflict. */
  has(values: ObjectLiteral): boolean {
    return this.#knownOf(values).length > 0;
  }

  /**
   * Tells whether new rows still have the unique values that they had before the insert. Values that TypeORM fills in
   * do not count: without RETURNING, it may give a row the values of another row.
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
        ({ text, key }) => texts.has(text) || key.columns.some((column) => filledIn.has(column)),
      );
    });
  }

  /** {@link rows} before the insert. */
  async rowsBefore(
    valueSets: readonly ObjectLiteral[],
    relations: readonly RelationMetadata[],
  ): Promise<MeetingRows> {
    const rows = await this.rows(valueSets, { relations, isBefore: true });
    if (!isPostgres(this.#dataSource)) return rows;
    // A read that has waited for another transaction, which has removed a row and inserted it again, finds neither of both.
    // The next one does.
    const found = new Set([...rows.values()].flatMap((row) => this.#textsOf(row)));
    const others = valueSets.filter((values) =>
      this.#knownOf(values).every(({ text }) => !found.has(text)),
    );
    for (const [key, row] of await this.rows(others, { relations, isBefore: true })) {
      rows.set(key, row);
    }
    return rows;
  }

  /**
   * The existing rows that have a unique value of some new rows. For `{ id: 1, slug: 'a' }` there may be two: the row
   * with the id 1, and the row with the slug `a`.
   *
   * @param isBefore true before the insert: the rows are locked, so that no other transaction can change or delete
   *   them. After the insert they are read without a lock
   */
  async rows(
    valueSets: readonly ObjectLiteral[],
    { relations, isBefore }: { relations: readonly RelationMetadata[]; isBefore: boolean },
  ): Promise<Map<string, ObjectLiteral>> {
    const rows = new Map<string, ObjectLiteral>();
    const wanted = valueSets.flatMap((values) => this.#knownOf(values));
    // A query for each key: with a choice of several, MySQL reads, and locks, the whole table.
    for (const key of this.#keys) {
      const conditions = wanted
        .filter((value) => value.key === key)
        .map(({ condition }) => condition);
      for (let start = 0; start < conditions.length; start += CONDITIONS_PER_QUERY) {
        const page = conditions.slice(start, start + CONDITIONS_PER_QUERY);
        const query = rowsQuery(this.manager, this.metadata, relations).where(page);
        if (key.where !== undefined) query.andWhere(key.where);
        this.#lock(query, isBefore);
        for (const row of await query.getMany()) rows.set(entityRowKey(this.metadata, row)!, row);
      }
    }
    return rows;
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
    // Even for rows that stay as they are, no other transaction may change the key.
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
    return this.#keys.flatMap((key, index) => {
      const condition = conditionOf(key.columns, row);
      if (condition === undefined) return [];
      const parts = key.columns.map((column) => keyPart(column.getEntityValue(condition), column));
      return [{ key, condition, text: `${index}:${JSON.stringify(parts)}` }];
    });
  }
}

/** Where an `orUpdate()` or `upsert()` looks for conflicts. */
interface Conflicts {
  readonly conflict?: unknown;
  readonly indexPredicate?: string;
}

function keysOf(metadata: EntityMetadata, onUpdate: Conflicts = {}): readonly UniqueKey[] {
  const { conflict, indexPredicate } = onUpdate;
  const target = (Array.isArray(conflict) ? conflict : [])
    .map((name) => metadata.findColumnWithDatabaseName(String(name)))
    .filter((column) => column !== undefined);
  const declared: readonly UniqueKey[] = [
    { columns: metadata.primaryColumns, where: undefined },
    ...metadata.uniques.map(({ columns }) => ({ columns, where: undefined })),
    ...metadata.indices
      .filter(({ isUnique }) => isUnique)
      .map(({ columns, where }) => ({ columns, where })),
  ];
  const isDeclared = declared.some(
    ({ columns, where }) =>
      where === indexPredicate &&
      columns.length === target.length &&
      columns.every((column) => target.includes(column)),
  );
  return isDeclared ? declared : [...declared, { columns: target, where: indexPredicate }];
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
