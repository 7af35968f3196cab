export { type Around, type ReplacedCall, replaceMethods } from './replaced-methods.js';
export { makeEntity, mapEntity } from './map-entity.js';
export { queryRunnerOf } from './query-runner-of.js';
export { addOwnSubscribers, isOwnSubscriber } from './own-subscribers.js';
export type { SerializeTransactions } from './serialize-transactions.js';
export { statementsOfInsert } from './insert-statements.js';
export { isInTransaction } from './sqlite-handle.js';
export { hasTransaction, type Told, toldBy } from './transaction-status.js';
export { SqliteTransactions } from './sqlite/sqlite-transactions.js';
export { DataSourceClient } from './clients/data-source-client.js';
export { DataSourceStore } from './sqlite/data-source-store.js';
export { TransactionEndedError } from '../database/transaction-ended.error.js';
export { TransactionTimeoutError } from './sqlite/transaction-timeout.error.js';
// Of TypeORM itself: no other folder imports values of it.
export { Brackets, DataSource, InsertResult, Repository, TableColumn } from 'typeorm';
