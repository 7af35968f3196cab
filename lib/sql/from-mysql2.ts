import type { Statement } from '../database/dialect.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import { type ClientSource, defineSqlClient } from './client-source.js';
import type { Answer } from './databases/client-database.js';
import { type AnyMysqlPool, corePool, MYSQL } from './databases/mysql.js';
import { DriverClient } from './driver-client.js';
import { type StoreDriver, storeDriver } from './store-driver.js';

const PLACE = 'fromMysql2()';

/** A connection of `mysql2` or `mysql2/promise` after `beginTransaction()`, from the pool or of one's own. */
export interface Mysql2Transaction {
  beginTransaction(done: never): unknown;
  query(sql: string, values: never): unknown;
  /** A pool has it, and takes another connection for each query. */
  readonly getConnection?: never;
}

/** What the types of `mysql2` leave out. */
interface Connection {
  /** Of a pool. */
  readonly _pool?: object | null;
  query(
    sql: string,
    values: unknown[],
    done: (error: Error | null, result: unknown) => void,
  ): unknown;
}

/**
 * Stores messages by `mysql2` on MariaDB and MySQL.
 *
 * @param pool of `mysql2` or `mysql2/promise`, its injection token or a factory
 * @throws `ThornConfigurationError` here or at start-up, naming what is wrong
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromMysql2(pool) });
 * ```
 */
export function fromMysql2(
  pool: ClientSource<AnyMysqlPool>,
): SqlClientDefinition<Mysql2Transaction> {
  return defineSqlClient(
    PLACE,
    [pool],
    (pool) => new Mysql2Client(storeDriver(PLACE, MYSQL, {}, pool)!, corePool(pool)),
  );
}

class Mysql2Client extends DriverClient<Mysql2Transaction> {
  readonly name = 'mysql2';

  constructor(store: StoreDriver, pool: object) {
    super(MYSQL, 'a connection of the pool after beginTransaction()', store, pool);
  }

  protected override check(connection: Mysql2Transaction): string | undefined {
    if (typeof connection?.beginTransaction !== 'function') throw this.required();
    return MYSQL.driverQuestion;
  }

  protected override originOf(connection: Mysql2Transaction): object {
    return coreOf(connection)._pool ?? connection;
  }

  protected override run(
    connection: Mysql2Transaction,
    { sql, parameters }: Statement,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      coreOf(connection).query(sql, [...parameters], (error, result) => {
        if (error) reject(error);
        else resolve(MYSQL.answerOf([result]));
      });
    });
  }

  protected override notOpen(): Error {
    return this.required();
  }
}

/** The connection that calls back, of which those of `mysql2/promise` are made. */
function coreOf(connection: object): Connection {
  return (
    (connection as { readonly connection?: Connection }).connection ?? (connection as Connection)
  );
}
