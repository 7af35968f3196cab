import type { QueryRunner } from 'typeorm';

/** A query runner of better-sqlite3, with what TypeORM does not publish of it. */
export type SqliteRunner = Omit<QueryRunner, 'isTransactionActive' | 'broadcaster'> & {
  isTransactionActive: boolean;
  transactionDepth: number;
  readonly broadcaster: { broadcast(event: 'AfterTransactionRollback'): Promise<void> };
};
