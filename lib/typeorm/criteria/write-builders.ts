import type { DataSource, EntityMetadata, ObjectLiteral, QueryBuilder } from 'typeorm';
import { type Around, replaceMethods, WRITES } from '../replaced-methods.js';

/** A query builder of TypeORM that inserts, updates, deletes, softly deletes or restores. */
export type WriteBuilder = QueryBuilder<ObjectLiteral>;

/** Makes a write as TypeORM would: the write of this query builder, or of another one in its place. */
export type Execute = (builder?: WriteBuilder) => Promise<unknown>;

/** Something that is asked to make a query builder's write, in place of the query builder. */
export interface WriteInterceptor {
  write(builder: WriteBuilder, execute: Execute): Promise<unknown>;
}

type Write = (typeof WRITES)[number];

/** Interceptors of the writes that a save makes, the innermost first. */
export type SaveInterceptors = Readonly<Partial<Record<Write, readonly WriteInterceptor[]>>>;

/** The interceptors of a data source, and the entities whose writes they are asked to make. */
interface Interception {
  readonly ofSaves: SaveInterceptors;
  /** The interceptor of all other writes. */
  readonly ofCriteria: WriteInterceptor;
  readonly entities: ReadonlySet<EntityMetadata>;
}

/**
 * Lets interceptors make every write to some entities that goes through a query builder of the data source. Writes of
 * repositories and managers do, except `clear()`.
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
    const bySaves = ofSaves[name] ?? [];
    const around: Around<WriteBuilder, Promise<unknown>> = ({ self: builder, proceed }) => {
      const { mainAlias, callListeners } = builder.expressionMap;
      if (mainAlias?.hasMetadata !== true || !entities.has(mainAlias.metadata)) return proceed();
      let write: Execute = proceed;
      // The writes that TypeORM makes for a save leave the hooks to it.
      for (const interceptor of callListeners ? byCriteria : bySaves) {
        const next = write;
        write = (own = builder) => interceptor.write(own, (other = own) => next(other));
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
