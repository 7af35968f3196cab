import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { isNumberType } from '../../capture/plan/row-paths.js';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { hasLoadHooks, isPlain, plainColumns } from './read-back.js';
import { type Column, typeName } from './columns.js';
import { lockWritten } from './row-lock.js';

const ROOT = 'thorn_row';

/** How a row is locked where the database can, for a write that leaves its key as it is or does not. */
export interface RowLock {
  readonly keepsKeys: boolean;
}

/**
 * Reads one row of an entity by its key. The text of the query is made once. TypeORM would make a query anew each time
 * and treat the answer like one with joins, which takes several times as long as the statement itself.
 */
export class SingleRow {
  readonly #columns: readonly Column[];
  /** The statement with a lock that keeps keys, with a lock that does not, and without a lock. */
  readonly #statements = new Map<boolean | undefined, string>();

  private constructor(private readonly metadata: EntityMetadata) {
    this.#columns = plainColumns(metadata);
  }

  /** @returns undefined for an entity whose rows hold more than the values of plain columns */
  static of(metadata: EntityMetadata): SingleRow | undefined {
    return isPlain(metadata) ? new SingleRow(metadata) : undefined;
  }

  /**
   * False while the application changes rows as they are loaded. False of a number for a column of texts as well: SQLite would
   * be given 12 as the text 12.0.
   */
  canRead(manager: EntityManager, key: readonly unknown[]): boolean {
    const isExact = this.metadata.primaryColumns.every(
      (column, at) => typeof key[at] !== 'number' || isNumberType(typeName(column)),
    );
    return isExact && !hasLoadHooks(dataSourceOf(manager));
  }

  /** @param key the values of the key as the database gets them */
  async read(
    manager: EntityManager,
    key: readonly unknown[],
    lock?: RowLock,
  ): Promise<ObjectLiteral | undefined> {
    const { driver } = dataSourceOf(manager);
    const sql = this.#statement(manager, lock);
    const [raw] = await manager.query<ObjectLiteral[]>(sql, [...key]);
    if (raw === undefined) return undefined;
    const row = this.metadata.create(undefined, { fromDeserializer: true }) as ObjectLiteral;
    for (const [at, column] of this.#columns.entries()) {
      column.setEntityValue(row, driver.prepareHydratedValue(raw[nameOf(at)], column));
    }
    return row;
  }

  /** The values of the key of a row, as the database gets them. */
  keyOf(manager: EntityManager, row: ObjectLiteral): unknown[] {
    const { driver } = dataSourceOf(manager);
    return this.metadata.primaryColumns.map(
      (column) => driver.preparePersistentValue(column.getEntityValue(row), column) as unknown,
    );
  }

  #statement(manager: EntityManager, lock: RowLock | undefined): string {
    const isInTransaction = manager.queryRunner?.isTransactionActive === true;
    const keepsKeys = isInTransaction ? lock?.keepsKeys : undefined;
    let sql = this.#statements.get(keepsKeys);
    if (sql === undefined) this.#statements.set(keepsKeys, (sql = this.#build(manager, lock)));
    return sql;
  }

  #build(manager: EntityManager, lock: RowLock | undefined): string {
    const { target, primaryColumns } = this.metadata;
    const query = manager.createQueryBuilder<ObjectLiteral>(target, ROOT).select([]);
    for (const [at, { propertyPath }] of this.#columns.entries()) {
      query.addSelect(`${ROOT}.${propertyPath}`, nameOf(at));
    }
    for (const [at, { propertyPath }] of primaryColumns.entries()) {
      // A text: TypeORM writes numbers into the statement on SQLite.
      query.andWhere(`${ROOT}.${propertyPath} = :key${at}`, { [`key${at}`]: '' });
    }
    query.withDeleted().setOption('disable-global-order');
    if (lock !== undefined) lockWritten(query, manager, lock.keepsKeys);
    return query.getQueryAndParameters()[0];
  }
}

function nameOf(at: number): string {
  return `column${at}`;
}
