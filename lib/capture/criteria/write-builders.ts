import type { DataSource, EntityMetadata, ObjectLiteral, QueryBuilder, QueryRunner } from 'typeorm';
import { type Around, replaceMethods } from '../../typeorm/index.js';

/** A query builder of TypeORM that inserts, updates, deletes, softly deletes or restores. */
export type WriteBuilder = QueryBuilder<ObjectLiteral>;

/** Makes a write as TypeORM does. */
export type Execute = () => Promise<unknown>;

/** Something that is asked to make a query builder's write, in place of the query builder. */
export interface WriteInterceptor {
  write(builder: WriteBuilder, execute: Execute): Promise<unknown>;
}

/** The query builders that write. Restoring is one of soft deletes. */
const WRITES = ['insert', 'update', 'delete', 'softDelete'] as const;
type Write = (typeof WRITES)[number];

/** Interceptors of the writes that a save makes, the innermost first. */
export type SaveInterceptors = Readonly<Partial<Record<Write, readonly WriteInterceptor[]>>>;

/** The interceptors of a data source, and the entities whose writes they are asked to make. */
interface Interception {
  readonly ofSaves: SaveInterceptors;
  /** Of all other writes, and of those that delete every row of a table. */
  readonly ofCriteria: WriteInterceptor;
  readonly entities: ReadonlySet<EntityMetadata>;
}

/**
 * Lets interceptors make every write to some entities that a query builder of the data source is told to execute; so are
 * those of repositories and managers, except that of `clear()`.
 *
 * @returns ends that
 */
export function interceptWrites(
  dataSource: DataSource,
  { ofSaves, ofCriteria, entities }: Interception,
): () => void {
  // It has no query builders.
  if (dataSource.options.type === 'mongodb') return () => undefined;
  const byCriteria = [ofCriteria];
  const restored = WRITES.map((name) => {
    const bySaves = [...(name === 'delete' ? byCriteria : []), ...(ofSaves[name] ?? [])];
    const around: Around<WriteBuilder, Promise<unknown>> = ({ self: builder, proceed }) => {
      const { mainAlias } = builder.expressionMap;
      if (mainAlias?.hasMetadata !== true || !entities.has(mainAlias.metadata)) return proceed();
      let write = proceed;
      for (const interceptor of hasHooks(builder) ? byCriteria : bySaves) {
        const next = write;
        write = () => interceptor.write(builder, next);
      }
      try {
        return write();
      } catch (error) {
        // Interceptors that refuse a write throw at once.
        return Promise.reject(error);
      }
    };
    return replaceMethods(dataSource, dataSource.createQueryBuilder()[name](), ['execute'], around);
  });
  return () => {
    for (const restore of restored) restore();
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
