export { wrapManagers } from './manager-methods.js';
export { type SerializeTransactions, SqliteTransactions } from './sqlite-transactions.js';
export { type PreparedStatement, type SqliteHandle, sqliteHandle } from './sqlite-handle.js';
export { TransactionEndedError } from './transaction-ended.error.js';
export { TransactionTimeoutError } from './transaction-timeout.error.js';
