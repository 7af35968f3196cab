import type { DataSource, EntityManager } from 'typeorm';
import type { SerializeTransactions } from '../database/sqlite-handle.js';
import { TypeOrmClient } from '../database/typeorm-client.js';

/** The database of a data source of the application. */
export class DataSourceClient extends TypeOrmClient<DataSource> {
  /** Prepares the data source for capture, before its first write. @param serialize for SQLite; default true */
  attach(_serialize?: SerializeTransactions): void {}

  /** Leaves the data source as TypeORM made it. */
  detach(): void {}

  /**
   * Makes a write of the application in a transaction of its own, whose manager only hooks are given.
   *
   * @param manager of the connection to make it on. Default: one of the pool
   * @param isolation default: the database's
   */
  transaction<Result>(
    manager: EntityManager = this.dataSource.manager,
    write: (inner: EntityManager) => Promise<Result>,
    isolation?: 'READ COMMITTED',
  ): Promise<Result> {
    return isolation === undefined
      ? manager.transaction(write)
      : manager.transaction(isolation, write);
  }

  /** True when the data source makes and changes tables by itself, in development. */
  override get synchronizes(): boolean {
    return this.dataSource.options.synchronize === true;
  }

  override logStatement(sql: string, parameters: readonly unknown[]): void {
    this.dataSource.logger.logQuery(sql, parameters as unknown[]);
  }
}
