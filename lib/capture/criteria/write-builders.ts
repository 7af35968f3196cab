import type { DataSource, EntityMetadata, ObjectLiteral, QueryBuilder, QueryRunner } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';

/** A query builder of TypeORM that inserts, updates, deletes, softly deletes or restores. */
export type WriteBuilder = QueryBuilder<ObjectLiteral>;

/** Makes a write as TypeORM does. */
export type Execute = () => Promise<unknown>;

/** Something that is asked to make a query builder's write, in place of the query builder. */
export interface WriteInterceptor {
  write(builder: WriteBuilder, execute: Execute): Promise<unknown>;
}

/** The interceptors of a data source, the innermost first, and the entities whose writes they are asked to make. */
interface Interception {
  readonly interceptors: readonly WriteInterceptor[];
  readonly entities: ReadonlySet<EntityMetadata>;
}

/** A class whose `execute()` is replaced, for so many interceptions. */
interface Replaced {
  readonly original: Execute;
  readonly replacement: Execute;
  count: number;
}

const replaced = new WeakMap<object, Replaced>();
const interceptions = new WeakMap<DataSource, Set<Interception>>();

/**
 * Lets interceptors make every write to some entities that a query builder of the data source is told to execute; so are
 * those of repositories and managers, except that of `clear()`.
 *
 * TypeORM has nothing to ask for this: its hooks of such writes are not told the criteria. So its classes are changed,
 * once for all data sources of this copy of TypeORM; other writes go straight on.
 *
 * @returns ends that
 */
export function interceptWrites(dataSource: DataSource, interception: Interception): () => void {
  // It has no query builders.
  if (dataSource.options.type === 'mongodb') return () => undefined;
  // Not the classes that TypeORM exports: it does not export all of them, and there may be two copies of it.
  const builders = () => dataSource.createQueryBuilder();
  const classes = [
    builders().insert(),
    builders().update(),
    builders().delete(),
    builders().softDelete(),
  ].map((builder) => Object.getPrototypeOf(builder) as { execute: Execute });
  for (const one of classes) replace(one);
  const known = interceptions.get(dataSource) ?? new Set();
  interceptions.set(dataSource, known.add(interception));
  return () => {
    known.delete(interception);
    for (const one of classes) putBack(one);
  };
}

/** The hooks of TypeORM before and after a write, by the type of its query. */
const HOOKS = {
  insert: ['BeforeInsert', 'AfterInsert'],
  update: ['BeforeUpdate', 'AfterUpdate'],
  delete: ['BeforeRemove', 'AfterRemove'],
  'soft-delete': ['BeforeSoftRemove', 'AfterSoftRemove'],
  restore: ['BeforeRecover', 'AfterRecover'],
} as const;

/** Query builders whose hooks are called by {@link hooksFirst}. */
const hooked = new WeakSet<WriteBuilder>();

/** Tells whether a write has hooks. Those that TypeORM itself makes for a save leave them to it. */
export function hasHooks(builder: WriteBuilder): boolean {
  return builder.expressionMap.callListeners || hooked.has(builder);
}

/**
 * Calls the application's hooks before a write ahead of all that is read for it: they may change its values, and rows. By
 * TypeORM they would be called in between.
 *
 * The hooks after it are called once, when all of it is done: a write may be tried before it is made.
 */
export async function hooksFirst<Result>(
  builder: WriteBuilder,
  queryRunner: QueryRunner,
  write: () => Promise<Result>,
): Promise<Result> {
  const { expressionMap } = builder;
  // Another capture of the same data source has called them.
  if (hooked.has(builder)) return write();
  const { metadata } = expressionMap.mainAlias!;
  const [before, after] = HOOKS[expressionMap.queryType as keyof typeof HOOKS];
  const call = async (hook: typeof before | typeof after): Promise<void> => {
    const { valuesSet } = expressionMap;
    const all = Array.isArray(valuesSet) ? valuesSet : [valuesSet];
    await Promise.all(
      all.map((values) =>
        queryRunner.broadcaster.broadcast(hook as 'AfterUpdate', metadata, values),
      ),
    );
  };
  hooked.add(builder);
  try {
    await call(before);
    expressionMap.callListeners = false;
    const result = await write();
    await call(after);
    return result;
  } finally {
    expressionMap.callListeners = true;
    hooked.delete(builder);
  }
}

function replace(prototype: { execute: Execute }): void {
  const known = replaced.get(prototype);
  if (known !== undefined) {
    known.count += 1;
    return;
  }
  const original = prototype.execute;
  const replacement = interceptable(original);
  replaced.set(prototype, { original, replacement, count: 1 });
  prototype.execute = replacement;
}

function putBack(prototype: { execute: Execute }): void {
  const known = replaced.get(prototype)!;
  known.count -= 1;
  // Where something else has replaced ours meanwhile, it goes on to call ours, which then calls TypeORM's.
  if (known.count > 0 || prototype.execute !== known.replacement) return;
  prototype.execute = known.original;
  replaced.delete(prototype);
}

function interceptable(execute: Execute): Execute {
  return function (this: WriteBuilder) {
    const known = interceptions.get(dataSourceOf(this));
    const { mainAlias } = this.expressionMap;
    if (known === undefined || mainAlias?.hasMetadata !== true) return execute.call(this);
    let write: Execute | undefined;
    for (const { interceptors, entities } of known) {
      if (!entities.has(mainAlias.metadata)) continue;
      for (const interceptor of interceptors) {
        const next: Execute = write ?? (() => execute.call(this));
        write = () => interceptor.write(this, next);
      }
    }
    if (write === undefined) return execute.call(this);
    try {
      return write();
    } catch (error) {
      // Interceptors that refuse a write throw at once.
      return Promise.reject(error);
    }
  };
}
