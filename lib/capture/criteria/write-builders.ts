import type { DataSource, ObjectLiteral, QueryBuilder } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';

/** A query builder of TypeORM that inserts, updates, deletes, softly deletes or restores. */
export type WriteBuilder = QueryBuilder<ObjectLiteral>;

/** Makes a write as TypeORM does. */
export type Execute = () => Promise<unknown>;

/** Something that is asked to make a query builder's write, in place of the query builder. */
export interface WriteInterceptor {
  write(builder: WriteBuilder, execute: Execute): Promise<unknown>;
}

const wrapped = new WeakSet<object>();
const interceptors = new WeakMap<DataSource, Set<WriteInterceptor>>();

/**
 * Lets an interceptor make every write that a query builder of the data source is told to execute; so are those of
 * repositories and managers, except that of `clear()`.
 *
 * TypeORM has nothing to ask for this: its hooks of such writes are not told the criteria. So its classes are changed,
 * once for all data sources of this copy of TypeORM; writes of a data source without an interceptor go straight on.
 */
export function interceptWrites(dataSource: DataSource, interceptor: WriteInterceptor): void {
  // It has no query builders.
  if (dataSource.options.type === 'mongodb') return;
  // Not the classes that TypeORM exports: it does not export all of them, and there may be two copies of it.
  const builders = () => dataSource.createQueryBuilder();
  for (const builder of [
    builders().insert(),
    builders().update(),
    builders().delete(),
    builders().softDelete(),
  ]) {
    wrap(Object.getPrototypeOf(builder) as { execute: Execute });
  }
  const known = interceptors.get(dataSource) ?? new Set();
  interceptors.set(dataSource, known.add(interceptor));
}

/** The opposite of {@link interceptWrites}. */
export function releaseWrites(dataSource: DataSource, interceptor: WriteInterceptor): void {
  interceptors.get(dataSource)?.delete(interceptor);
}

function wrap(prototype: { execute: Execute }): void {
  if (wrapped.has(prototype)) return;
  wrapped.add(prototype);
  const { execute } = prototype;
  prototype.execute = function (this: WriteBuilder) {
    let write: Execute = () => execute.call(this);
    for (const interceptor of interceptors.get(dataSourceOf(this)) ?? []) {
      const next = write;
      write = () => interceptor.write(this, next);
    }
    return write();
  };
}
