import mysql from 'mysql2';
import mysqlPromise from 'mysql2/promise';
import { fromMysql2, type Mysql2Transaction } from '../../lib/sql/index.js';
import { type ClientKind, withSavepoint, type Work } from './sql-clients.js';

/** A pool of promises. */
const mysql2Kind: ClientKind<Mysql2Transaction> = {
  name: 'mysql2/promise',
  open: async (uri, connectionLimit) => {
    const pool = mysqlPromise.createPool({ uri, connectionLimit });
    return {
      bare: pool,
      begin: (work) => onConnection(pool, work),
      close: () => pool.end(),
    };
  },
  define: (pool) => fromMysql2(pool as mysqlPromise.Pool),
  nested: (connection, work) =>
    withSavepoint(
      (sql) => (connection as unknown as mysqlPromise.PoolConnection).query(sql),
      () => work(connection),
    ),
  execute: (connection, sql) => (connection as unknown as mysqlPromise.PoolConnection).query(sql),
};

/** A pool that calls back, and its connections. */
const callbackKind: ClientKind<Mysql2Transaction> = {
  name: 'mysql2',
  open: async (uri, connectionLimit) => {
    const pool = mysql.createPool({ uri, connectionLimit });
    return {
      bare: pool,
      begin: (work) =>
        onConnection(pool.promise(), (connection) =>
          work((connection as unknown as { readonly connection: mysql.PoolConnection }).connection),
        ),
      close: () => pool.promise().end(),
    };
  },
  define: (pool) => fromMysql2(pool as mysql.Pool),
  nested: (connection, work) =>
    withSavepoint(
      (sql) => (connection as unknown as mysql.PoolConnection).promise().query(sql),
      () => work(connection),
    ),
  execute: (connection, sql) =>
    (connection as unknown as mysql.PoolConnection).promise().query(sql),
};

async function onConnection<Answer>(
  pool: mysqlPromise.Pool,
  work: Work<Mysql2Transaction, Answer>,
): Promise<Answer> {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const answer = await work(connection);
    await connection.commit();
    return answer;
  } catch (error) {
    await connection.rollback();
    throw error;
  } finally {
    connection.release();
  }
}

/** Those of MariaDB. */
export const MARIADB_CLIENTS = [
  mysql2Kind,
  callbackKind,
] as unknown as readonly ClientKind<never>[];
