import type { QueryRunner } from 'typeorm';

/** A query runner of better-sqlite3, with what TypeORM does not publish of it. */
export type SqliteRunner = Omit<QueryRunner, 'isTransactionActive' | 'broadcaster'> & {
  isTransactionActive: boolean;
  transactionDepth: number;
  readonly broadcaster: { broadcast(event: 'AfterTransactionRollback'): Promise<void> };
};

/** The methods of a query runner that say what becomes of its transaction. */
export type RunnerMethod =
  'query' | 'startTransaction' | 'commitTransaction' | 'rollbackTransaction';

/** One of these, with the arguments that TypeORM gives it. */
export type AnyMethod = (...args: unknown[]) => Promise<unknown>;
