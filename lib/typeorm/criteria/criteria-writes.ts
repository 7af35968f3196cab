import type { ObjectLiteral } from 'typeorm';
import { deleteLinks, writeByCondition } from './condition-writes.js';
import { insert } from './insert-writes.js';
import { UpsertedValues } from './upserted-values.js';
import type { Execute, WriteBuilder, WriteInterceptor } from './write-builders.js';
import type { WriteContext } from './write-context.js';

/**
 * Captures what query builders write, which TypeORM's hooks are not told. A write that is in no transaction gets one, so
 * that its events are atomic with it.
 */
export class CriteriaWrites implements WriteInterceptor {
  readonly #upserted = new UpsertedValues();

  constructor(private readonly context: WriteContext) {}

  /** Tells whether a row of values is inserted so that it may become an update, or nothing. */
  isUpserted(values: ObjectLiteral | undefined): boolean {
    return values !== undefined && this.#upserted.has(values);
  }

  write(builder: WriteBuilder, execute: Execute): Promise<unknown> {
    const { mainAlias, queryType } = builder.expressionMap;
    const write = { context: this.context, builder, metadata: mainAlias!.metadata, execute };
    switch (queryType) {
      case 'insert':
        return insert(write, this.#upserted);
      case 'update':
        return writeByCondition(write, 'update');
      case 'delete':
        return write.metadata.isJunction ? deleteLinks(write) : writeByCondition(write, 'delete');
      case 'soft-delete':
        return writeByCondition(write, 'softDelete');
      case 'restore':
        return writeByCondition(write, 'restore');
      default:
        return execute();
    }
  }
}
