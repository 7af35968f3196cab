import { withoutValues } from './database-errors.js';
import { type PoolWatch, watchPool } from './pool-watch.js';
import { PreparedStatements } from './prepared-statements.js';
import type { Result, Row } from './sql-client.js';
import {
  type MysqlConnection,
  type PgClient,
  plainMysqlStatement,
  type SqlDriver,
} from './sql-driver.js';

/** A connection that a pool has handed out, whichever driver it is of. */
export interface PoolConnection {
  query(sql: string, parameters: readonly unknown[]): Promise<Result>;
  /** Gives the connection back, unless it was destroyed. */
  release(): void;
  /** Closes the connection, though it does not answer. */
  destroy(): void;
}

/** Takes connections from the pool of an application. */
export class PoolConnections {
  readonly #prepared = new PreparedStatements();

  async take(driver: SqlDriver | undefined): Promise<PoolConnection> {
    switch (driver?.kind) {
      case 'pg': {
        const watch = watchPool(driver.pool);
        try {
          return new PgConnection(await driver.pool.connect(), this.#prepared, watch);
        } catch (error) {
          watch.end();
          throw error;
        }
      }
      case 'mysql2': {
        const { pool } = driver;
        return new Promise((resolve, reject) => {
          pool.getConnection((error, connection) => {
            if (error === null || error === undefined) resolve(new Mysql2Connection(connection));
            else reject(error);
          });
        });
      }
      default:
        throw new Error('The pool of connections is closed');
    }
  }
}

class PgConnection implements PoolConnection {
  #isOut = true;

  constructor(
    private readonly client: PgClient,
    private readonly prepared: PreparedStatements,
    private readonly watch: PoolWatch,
  ) {}

  async query(sql: string, parameters: readonly unknown[]): Promise<Result> {
    const found = parameters.length === 0 ? { text: sql } : this.prepared.find(sql, this.client);
    const text = found instanceof Promise ? await found : found;
    try {
      const { rows, rowCount } = await this.client.query({ ...text, values: parameters });
      return { rows: rows as readonly Row[], affected: rowCount ?? 0 };
    } catch (error) {
      if (this.prepared.forgetIfLost(error)) this.destroy();
      throw error;
    }
  }

  release(): void {
    this.#end(false);
  }

  // The pool ends it, and pg closes the socket of a connection that has yet to answer.
  destroy(): void {
    this.#end(true);
  }

  #end(isDestroyed: boolean): void {
    if (!this.#isOut) return;
    this.#isOut = false;
    this.client.release(isDestroyed);
    this.watch.end();
  }
}

class Mysql2Connection implements PoolConnection {
  #isOut = true;

  constructor(private readonly connection: MysqlConnection) {}

  query(sql: string, parameters: readonly unknown[]): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.connection.query(plainMysqlStatement(sql), [...parameters], (error, result) => {
        if (error !== null && error !== undefined) return reject(withoutValues(error));
        if (Array.isArray(result)) resolve({ rows: result as Row[], affected: result.length });
        else {
          const { affectedRows } = result as { readonly affectedRows?: number };
          resolve({ rows: [], affected: affectedRows ?? 0 });
        }
      });
    });
  }

  release(): void {
    if (this.#isOut) this.connection.release();
    this.#isOut = false;
  }

  destroy(): void {
    if (this.#isOut) this.connection.destroy();
    this.#isOut = false;
  }
}
