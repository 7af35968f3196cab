import { DataSource, type DataSourceOptions } from 'typeorm';
import type { JoinedTransaction } from '../../database/sql-client.js';
import {
  type OwnConnection,
  type SqliteConnections,
  SqliteStore,
  type TransactionListener,
} from '../../database/sqlite-store.js';
import type { TypeOrmClient } from '../../database/typeorm-client.js';
import { addOwnSubscribers } from '../own-subscribers.js';
import { isInMemory, sqliteHandle } from '../private-properties.js';
import { SqliteTransactions } from './sqlite-transactions.js';

/** The store of a data source on SQLite, which has one connection that everybody shares. */
export class DataSourceStore extends SqliteStore {
  constructor(override readonly client: TypeOrmClient<DataSource>) {
    super(client, connectionsOf(client.dataSource));
  }

  override get callersTransaction(): JoinedTransaction | undefined {
    const manager = SqliteTransactions.of(this.client.dataSource)?.manager;
    return manager && this.client.within(manager);
  }
}

function connectionsOf(dataSource: DataSource): SqliteConnections {
  let own: DataSource | undefined;
  const open = async (): Promise<OwnConnection> => {
    own ??= new DataSource({
      ...(dataSource.options as DataSourceOptions & { type: 'better-sqlite3' }),
      entities: [],
      subscribers: [],
      migrations: [],
      synchronize: false,
      dropSchema: false,
      migrationsRun: false,
      enableWAL: true,
      timeout: 0,
    });
    if (!own.isInitialized) await own.initialize();
    return { handle: sqliteHandle(own)!, close: own.destroy.bind(own) };
  };
  return {
    get application() {
      return sqliteHandle(dataSource);
    },
    open: isInMemory(dataSource.options.database) ? undefined : open,
    leftOpen:
      'a query runner with startTransaction() and without commitTransaction() or rollbackTransaction()',
    listen({ begins, ended }: TransactionListener) {
      // TypeORM awaits these hooks: right after a commit the lock is certainly free.
      const hooks = {
        beforeTransactionStart: begins,
        afterTransactionCommit: ended,
        afterTransactionRollback: ended,
      };
      return addOwnSubscribers(dataSource, [hooks]);
    },
  };
}
