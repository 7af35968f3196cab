/** The part of TypeORM's `EntityManager` that is used. Structural: receivers without a database need no TypeORM. */
export interface SqlManager {
  readonly dataSource: {
    readonly options: { readonly type: string; readonly entityPrefix?: string };
  };
  query(sql: string, parameters?: unknown[]): Promise<unknown>;
}

/** TypeORM's `EntityManager` in a transaction. */
export interface TransactionManager extends SqlManager {
  readonly queryRunner?: { readonly isTransactionActive: boolean };
}
