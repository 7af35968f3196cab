import type { DataSource, EntityMetadata } from 'typeorm';
import { escapePath } from '../../common/typeorm-compat.js';

/** The statements that empty the tables of some entities as `clear()` does. */
export class ClearStatements {
  readonly #entities = new Map<string, EntityMetadata>();

  /** @param entities of entities that share a table, the first one counts */
  constructor(dataSource: DataSource, entities: readonly EntityMetadata[]) {
    const verb = dataSource.options.type === 'better-sqlite3' ? 'DELETE FROM' : 'TRUNCATE TABLE';
    for (const metadata of entities) {
      const statement = `${verb} ${escapePath(dataSource, metadata.tablePath)}`;
      if (!this.#entities.has(statement)) this.#entities.set(statement, metadata);
    }
  }

  /** The entity whose table a statement empties. */
  entityOf(statement: string): EntityMetadata | undefined {
    // Asked of every statement.
    if (statement.startsWith('DELETE')) return this.#entities.get(statement);
    if (!statement.startsWith('TRUNCATE')) return undefined;
    for (const [clear, metadata] of this.#entities) {
      // PostgreSQL's may go on, as with CASCADE.
      if (statement === clear || statement.startsWith(`${clear} `)) return metadata;
    }
    return undefined;
  }
}
