/**
 * True lets transactions on SQLite wait for each other: TypeORM gives all of them one connection. `timeout` is the longest
 * wait of a write in milliseconds, before it is refused with `TransactionTimeoutError`; default 10,000.
 */
export type SerializeTransactions = boolean | { readonly timeout: number };
