import { findDialect } from '../../database/dialect.js';
import type { Row } from '../../database/sql-client.js';
import {
  type MysqlConnection,
  type MysqlPool,
  plainMysqlStatement,
} from '../../database/sql-driver.js';
import { OpenTransaction } from '../../database/transaction-proof.js';
import { requirePackages } from '../../errors/require-packages.js';
import type { ClientDatabase } from './client-database.js';

/** A pool of `mysql2`, or a pool of `mysql2/promise`, which wraps one. */
export type AnyMysqlPool = MysqlPool | { readonly pool: MysqlPool };

/** The part of a pool of `mysql2` that is used when the library has made the pool. */
interface OwnPool extends MysqlPool {
  end(done: (error: Error | null) => void): void;
}

/** Bits of the status of a connection, which the server sends with each answer. */
const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;

/** Without autocommit a transaction begins with the first statement that uses a table. */
const IS_OPEN = '(@@in_transaction = 1 OR @@autocommit = 0)';

/** MariaDB and MySQL, with the driver `mysql2`. */
export const MYSQL: ClientDatabase = {
  title: 'MariaDB',
  names: ['mysql', 'MySql', 'MysqlAdapter'],
  driver: 'mysql2',
  dialect: findDialect('mysql'),
  url: /^(?:mariadb|mysql):/,
  hasSchemas: false,
  identity:
    "SELECT DATABASE() AS name, CONCAT_WS(' ', DATABASE(), @@hostname, @@port, @@datadir) AS identity",
  // MySQL has no variable `in_transaction`. It reads the parts for MariaDB as comments.
  question: `SELECT 1 /*M! AND ${IS_OPEN} */ AS open, 0 /*M! + 1 */ AS proves`,
  statusQuestion: 'DO 0',
  prove: (ended) => new OpenTransaction(ended),
  // MariaDB has no numbers of transactions, but it counts the statements that begin and end transactions on the connection.
  number:
    "SELECT CONCAT('' /*M! , GROUP_CONCAT(VARIABLE_VALUE ORDER BY VARIABLE_NAME) */) AS number " +
    "/*M! FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME IN ('COM_BEGIN', 'COM_COMMIT', 'COM_ROLLBACK') " +
    `AND ${IS_OPEN} */`,
  answerOf(answer) {
    const [result] = answer as readonly [readonly Row[] | ResultHeader];
    if ('length' in result) return { rows: result, affected: result.length };
    const { affectedRows = 0, serverStatus: status = IN_TRANSACTION } = result;
    const isOpen = (status & IN_TRANSACTION) !== 0 || (status & AUTOCOMMIT) === 0;
    return { rows: [], affected: affectedRows, isOpen };
  },
  runOn(connection, { sql, parameters }) {
    return new Promise((resolve, reject) => {
      coreConnection(connection).query(
        plainMysqlStatement(sql),
        [...parameters],
        (error, result) => {
          if (error) reject(error);
          else resolve(MYSQL.answerOf([result]));
        },
      );
    });
  },
  pool: "a pool of `mysql2`: createPool('mysql://…')",
  driverOf(given) {
    const pool = corePool(given as AnyMysqlPool);
    return isPool(pool) ? { kind: 'mysql2', pool } : undefined;
  },
  open(caller, uri, connectionLimit) {
    const connectAttributes = { program_name: 'thorn' };
    const pool = loadMysql2(caller).createPool({ uri, connectionLimit, connectAttributes });
    return {
      driver: { kind: 'mysql2', pool },
      connections: connectionLimit,
      end: () =>
        new Promise((resolve, reject) => {
          pool.end((error) => (error ? reject(error) : resolve()));
        }),
    };
  },
};

/** Properties that the types of `mysql2` leave out. */
type CoreConnection = MysqlConnection & {
  /** The pool of the connection. */
  readonly _pool?: object | null;
};

interface ResultHeader {
  readonly affectedRows?: number;
  readonly serverStatus?: number;
}

/** The pool with callbacks, which a pool of `mysql2/promise` wraps. */
export function corePool(pool: AnyMysqlPool): MysqlPool {
  return 'pool' in pool ? pool.pool : pool;
}

/** The connection with callbacks, which a connection of `mysql2/promise` wraps. */
export function coreConnection(connection: object): CoreConnection {
  return (
    (connection as { readonly connection?: CoreConnection }).connection ??
    (connection as CoreConnection)
  );
}

function isPool(pool: MysqlPool & { readonly promise?: unknown }): boolean {
  return typeof pool?.getConnection === 'function' && typeof pool.promise === 'function';
}

function loadMysql2(caller: string): { createPool(options: object): OwnPool } {
  requirePackages(`${caller} with url`, { mysql2: () => require('mysql2') as unknown });
  return require('mysql2') as ReturnType<typeof loadMysql2>;
}
