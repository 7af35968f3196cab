import type { Statement } from '../database/dialect.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import { TransactionEndedError } from '../database/errors.js';
import type { ClientSource } from './client-source.js';
import type { Answer } from './databases/client-database.js';
import { type AnyMysqlPool, coreConnection, corePool, MYSQL } from './databases/mysql.js';
import { DriverClient } from './driver-client.js';
import { defineDriverClient } from './store-driver.js';

const CALLER = 'fromMysql2()';

/** A connection of `mysql2` or `mysql2/promise` after `beginTransaction()`, from the pool or made by the application. */
export interface Mysql2Transaction {
  beginTransaction(done: never): unknown;
  query(sql: string, values: never): unknown;
  /** Only a pool has this property. A pool may take another connection for each query, so it cannot be a transaction. */
  readonly getConnection?: never;
}

/**
 * Stores messages with `mysql2` on MariaDB and MySQL.
 *
 * @param pool a pool of `mysql2` or `mysql2/promise`, its injection token or a factory
 * @throws `ThornConfigurationError` here or at start-up, for a wrong argument
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromMysql2(pool) });
 * ```
 */
export function fromMysql2(
  pool: ClientSource<AnyMysqlPool>,
): SqlClientDefinition<Mysql2Transaction> {
  return defineDriverClient(
    { caller: CALLER, databases: [MYSQL], client: pool, options: {} },
    (pool, connect) => new Mysql2Client(connect(MYSQL, pool), corePool(pool)),
  );
}

class Mysql2Client extends DriverClient<Mysql2Transaction> {
  readonly name = 'mysql2';
  protected readonly how = 'a connection of the pool after beginTransaction()';

  protected override check(connection: Mysql2Transaction): void {
    if (typeof connection?.beginTransaction !== 'function') throw this.required();
  }

  protected override originOf(connection: Mysql2Transaction): object {
    return coreConnection(connection)._pool ?? connection;
  }

  protected override run(connection: Mysql2Transaction, statement: Statement): Promise<Answer> {
    return MYSQL.runOn(connection, statement);
  }

  protected override ended(cause?: unknown): Error {
    return TransactionEndedError.ofConnection(this.name, 'beginTransaction()', 'commit()', cause);
  }

  protected override translated(code: string | undefined, error: unknown): unknown {
    // The error of a connection that is closed is fatal.
    const { fatal: isFatal = false } = error as { readonly fatal?: boolean };
    return isFatal ? this.ended(error) : super.translated(code, error);
  }
}
