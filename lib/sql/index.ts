/**
 * The database clients of an application: messages are stored in their transactions.
 *
 * @module nestjs-thorn/sql
 */
export type { Dialect, Statement } from '../database/dialect.js';
export {
  type CommitNews,
  type JoinedTransaction,
  type Result,
  type Row,
  SqlClient,
  type SqlClientDefinition,
  type SqlExecutor,
} from '../database/sql-client.js';
export type {
  MysqlConnection,
  MysqlPool,
  PgClient,
  PgPool,
  SqlDriver,
  SqliteHandle,
  SqliteStatement,
} from '../database/sql-driver.js';
export type { SqlDataSource, SqlManager } from '../database/typeorm-client.js';
export type { ClientFactory, ClientSource } from './client-source.js';
export { ensureSchema, type TableChoice } from './ensure-schema.js';
export { createTableTriggers, dropTableTriggers } from './table-triggers.js';
export type { TriggerTable } from '../database/triggers/reported-table.js';
export type { SchemaPlace } from '../database/schema/schema-sql.js';
export type { AnyMysqlPool } from './databases/mysql.js';
export {
  type DrizzleDatabase,
  type DrizzleSqliteDatabase,
  type DrizzleTransaction,
  fromDrizzle,
} from './from-drizzle.js';
export { fromKnex, type KnexDatabase, type KnexTransaction } from './from-knex.js';
export {
  fromKysely,
  type KyselyDatabase,
  type KyselyExecutor,
  type KyselyTransaction,
} from './from-kysely.js';
export { fromMysql2, type Mysql2Transaction } from './from-mysql2.js';
export { type BetterSqliteDatabase, fromBetterSqlite3 } from './from-better-sqlite3.js';
export { fromPg, type PgTransaction } from './from-pg.js';
export { fromPrisma, type PrismaClientLike, type PrismaTransaction } from './from-prisma.js';
export { fromTypeOrm } from './from-typeorm.js';
export type {
  AnyPool,
  ClientsPool,
  GivenDriver,
  GivenPool,
  OwnConnections,
  StoreOptions,
  TableOptions,
} from './store-driver.js';
