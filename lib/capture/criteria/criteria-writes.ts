import type { EntityMetadata, ObjectLiteral } from 'typeorm';
import { deleteLinks, writeByCondition } from './condition-writes.js';
import { insert } from './insert-writes.js';
import {
  type Execute,
  hasHooks,
  type WriteBuilder,
  type WriteInterceptor,
} from './write-builders.js';
import { type BuilderWrite, valueSetsOf, type WriteContext } from './write-context.js';

/**
 * Captures what query builders write, which TypeORM's hooks are not told. A write that is in no transaction gets one, so
 * that its events are atomic with it.
 */
export class CriteriaWrites implements WriteInterceptor {
  // Rows of values whose insert may have updated or skipped existing rows.
  readonly #upserted = new WeakSet<object>();
  // Rows of values that TypeORM may have given the keys and defaults of each other.
  readonly #mixedUp = new WeakSet<object>();
  #emptying = 0;

  constructor(private readonly context: WriteContext) {}

  /** True while a query builder deletes every row of a table: on SQLite its statement is that of `clear()`. */
  get isEmptying(): boolean {
    return this.#emptying > 0;
  }

  /** Tells whether a row of values was inserted so that it may have become an update, or nothing. */
  isUpserted(values: ObjectLiteral | undefined): boolean {
    return values !== undefined && this.#upserted.has(values);
  }

  /** Tells whether a row of values was inserted with others, and may have the key and the defaults of another one. */
  isMixedUp(values: ObjectLiteral | undefined): boolean {
    return values !== undefined && this.#mixedUp.has(values);
  }

  write(builder: WriteBuilder, execute: Execute): Promise<unknown> {
    const { mainAlias, queryType } = builder.expressionMap;
    const { metadata } = mainAlias!;
    if (!hasHooks(builder)) {
      return isEmptying(builder, metadata) ? this.#empty(execute) : execute();
    }
    const write = { context: this.context, builder, metadata, execute };
    switch (queryType) {
      case 'insert':
        this.#noteMixedUp(write);
        return insert(write, this.#upserted);
      case 'update':
        return writeByCondition(write, 'update');
      case 'delete':
        return this.#delete(write);
      case 'soft-delete':
        return writeByCondition(write, 'softDelete');
      case 'restore':
        return writeByCondition(write, 'restore');
      default:
        return execute();
    }
  }

  /** Without RETURNING, TypeORM reads what the database has filled in, in any order, and lays it over the values in theirs. */
  #noteMixedUp({ context: { dataSource }, builder, metadata }: BuilderWrite): void {
    const valueSets = valueSetsOf(builder);
    if (valueSets.length < 2 || dataSource.driver.isReturningSqlSupported('insert')) return;
    if (metadata.getInsertionReturningColumns().every(({ isGenerated }) => isGenerated)) return;
    for (const values of valueSets) this.#mixedUp.add(values);
  }

  #delete(write: BuilderWrite): Promise<unknown> {
    if (write.metadata.isJunction) return deleteLinks(write);
    const byCondition = (): Promise<unknown> => writeByCondition(write, 'delete');
    return isEmptying(write.builder, write.metadata) ? this.#empty(byCondition) : byCondition();
  }

  async #empty(write: Execute): Promise<unknown> {
    this.#emptying += 1;
    try {
      return await write();
    } finally {
      this.#emptying -= 1;
    }
  }
}

function isEmptying({ expressionMap }: WriteBuilder, { isJunction }: EntityMetadata): boolean {
  return expressionMap.queryType === 'delete' && expressionMap.wheres.length === 0 && !isJunction;
}
