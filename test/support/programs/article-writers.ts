import { eq, lte, sql } from 'drizzle-orm';
import * as mysqlCore from 'drizzle-orm/mysql-core';
import * as pgCore from 'drizzle-orm/pg-core';
import * as sqliteCore from 'drizzle-orm/sqlite-core';
import { type Transaction, sql as kyselySql } from 'kysely';
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  type EntityManager,
  LessThanOrEqual,
  PrimaryColumn,
} from 'typeorm';
import { defineTableEvents, WebhookEvent, Webhooks } from '../../../lib/index.js';
import type { ClientDatabase } from '../client-databases.js';
import { fileOf, SYNC_CLIENTS } from '../sqlite-clients.js';

/** The table that all clients write. Prisma's generated client knows its key and its title. */
export const ARTICLE_TABLE =
  'CREATE TABLE article (id integer PRIMARY KEY, title varchar(40) NOT NULL, total integer NOT NULL DEFAULT 0)';

export interface ArticleRow {
  readonly id: number;
  readonly title: string;
  readonly total: number;
}

const payload = ({ id, title, total }: ArticleRow) => ({ id, title, total });

/** By clients that tell nothing of their rows. */
export const articles = defineTableEvents<ArticleRow>('article', {
  ...{ key: 'id', orderBy: 'id', payload },
  events: {
    'article.created': { on: 'create' },
    'article.changed': { on: 'change' },
    'article.removed': { on: 'delete' },
  },
});

/** The same by TypeORM. */
@Entity({ name: 'article' })
@Webhooks<Article>({ capture: 'triggers', orderBy: 'id', payload })
@WebhookEvent<Article>('article.created', { on: 'create' })
@WebhookEvent<Article>('article.changed', { on: 'change' })
@WebhookEvent<Article>('article.removed', { on: 'delete' })
export class Article implements ArticleRow {
  @PrimaryColumn({ type: 'integer' }) id!: number;
  @Column({ type: 'varchar', length: 40 }) title!: string;
  @Column({ type: 'integer', default: 0 }) total!: number;
}

/** A write of a transaction. `addUpTo` changes all rows up to one. */
export type ArticleWrite =
  | { readonly does: 'create' | 'rename'; readonly id: number; readonly title: string }
  | { readonly does: 'add' | 'addUpTo'; readonly id: number; readonly total: number }
  | { readonly does: 'remove'; readonly id: number };

/** A client with connections of its own. */
export interface ArticleWriter {
  readonly name: string;
  /** Makes writes in one transaction. @param isUndone true: and rolls it back */
  transact(writes: readonly ArticleWrite[], isUndone: boolean): Promise<void>;
}

const NAMES: Readonly<Record<ClientDatabase['database'], readonly string[]>> = {
  postgres: ['pg', 'Prisma 7', 'Drizzle 0.45', 'Kysely'],
  mysql: ['mysql2/promise', 'Prisma 7 on MariaDB', 'Drizzle 0.45 on MariaDB', 'Kysely on MariaDB'],
  sqlite: ['better-sqlite3', 'Prisma 7 on SQLite', 'Kysely on SQLite'],
};

/** What TypeORM is told of a database. */
export function dataSourceOptions({ database }: ClientDatabase, url: string): DataSourceOptions {
  return database === 'sqlite'
    ? { type: 'better-sqlite3', database: fileOf(url) }
    : { type: database === 'mysql' ? 'mariadb' : 'postgres', url, poolSize: 5 };
}

/** Opens every client of a database. @param dataSource that of the application, if it has one */
export async function openWriters(
  place: ClientDatabase,
  url: string,
  dataSource?: DataSource,
): Promise<readonly ArticleWriter[]> {
  const { database } = place;
  const writers: ArticleWriter[] = [];
  for (const name of NAMES[database]) {
    const kind = place.writers.find((one) => one.name === name)!;
    const client = await kind.open(url, 2);
    const write = writeOf(name, database, (tx, text) => kind.execute(tx as never, text));
    const transact = (writes: readonly ArticleWrite[], isUndone: boolean) =>
      client.begin(async (tx) => {
        for (const one of writes) await write(tx, one);
        if (isUndone) throw new Error('rolled back');
      });
    writers.push({ name, transact });
  }
  if (database === 'sqlite') writers.push(await drizzleOnSqlite(url));
  return [...writers, await typeOrm(place, url, dataSource)];
}

type Write = (tx: unknown, write: ArticleWrite) => Promise<unknown>;

function writeOf(
  name: string,
  database: ClientDatabase['database'],
  execute: (tx: unknown, text: string) => Promise<unknown>,
): Write {
  if (name.startsWith('Prisma')) return byPrisma;
  if (name.startsWith('Kysely')) return byKysely;
  if (name.startsWith('Drizzle')) {
    const table = TABLES[database];
    return (tx, write) => Promise.resolve(byDrizzle(tx as Drizzle, table, write));
  }
  return (tx, write) => execute(tx, sqlOf(write));
}

function sqlOf(write: ArticleWrite): string {
  const { does, id } = write;
  switch (does) {
    case 'create':
      return `INSERT INTO article (id, title) VALUES (${id}, '${write.title}')`;
    case 'rename':
      return `UPDATE article SET title = '${write.title}' WHERE id = ${id}`;
    case 'add':
      return `UPDATE article SET total = total + ${write.total} WHERE id = ${id}`;
    case 'addUpTo':
      return `UPDATE article SET total = total + ${write.total} WHERE id <= ${id}`;
    case 'remove':
      return `DELETE FROM article WHERE id = ${id}`;
  }
}

/** The part of a generated client that is used. */
interface Prisma {
  readonly article: {
    create(given: object): Promise<unknown>;
    updateMany(given: object): Promise<unknown>;
    deleteMany(given: object): Promise<unknown>;
  };
  $executeRawUnsafe(text: string): Promise<unknown>;
}

const byPrisma: Write = (tx, write) => {
  const { article } = tx as Prisma;
  switch (write.does) {
    case 'create':
      return article.create({ data: { id: write.id, title: write.title } });
    case 'rename':
      return article.updateMany({ where: { id: write.id }, data: { title: write.title } });
    case 'remove':
      return article.deleteMany({ where: { id: write.id } });
    // The model has no such column.
    case 'add':
    case 'addUpTo':
      return (tx as Prisma).$executeRawUnsafe(sqlOf(write));
  }
};

const byKysely: Write = (tx, write) => {
  const trx = tx as Transaction<{ readonly article: ArticleRow }>;
  switch (write.does) {
    case 'create':
      return trx
        .insertInto('article')
        .values({ id: write.id, title: write.title, total: 0 })
        .execute();
    case 'rename':
      return trx
        .updateTable('article')
        .set({ title: write.title })
        .where('id', '=', write.id)
        .execute();
    case 'add':
    case 'addUpTo':
      return trx
        .updateTable('article')
        .set({ total: kyselySql<number>`total + ${write.total}` })
        .where('id', write.does === 'add' ? '=' : '<=', write.id)
        .execute();
    case 'remove':
      return trx.deleteFrom('article').where('id', '=', write.id).execute();
  }
};

const TABLES = {
  postgres: pgCore.pgTable('article', {
    id: pgCore.integer().primaryKey(),
    title: pgCore.varchar({ length: 40 }).notNull(),
    total: pgCore.integer().notNull().default(0),
  }),
  mysql: mysqlCore.mysqlTable('article', {
    id: mysqlCore.int().primaryKey(),
    title: mysqlCore.varchar({ length: 40 }).notNull(),
    total: mysqlCore.int().notNull().default(0),
  }),
  sqlite: sqliteCore.sqliteTable('article', {
    id: sqliteCore.integer().primaryKey(),
    title: sqliteCore.text().notNull(),
    total: sqliteCore.integer().notNull().default(0),
  }),
} as const;

type Query = PromiseLike<unknown> & { run(): unknown };

/** The part of a transaction that is used, of any database. */
interface Drizzle {
  insert(table: object): { values(row: object): Query };
  update(table: object): { set(row: object): { where(condition: unknown): Query } };
  delete(table: object): { where(condition: unknown): Query };
}

function byDrizzle(
  tx: Drizzle,
  table: (typeof TABLES)[keyof typeof TABLES],
  write: ArticleWrite,
): Query {
  const column = table.id as typeof TABLES.sqlite.id;
  const is = eq(column, write.id);
  switch (write.does) {
    case 'create':
      return tx.insert(table).values({ id: write.id, title: write.title });
    case 'rename':
      return tx.update(table).set({ title: write.title }).where(is);
    case 'add':
    case 'addUpTo':
      return tx
        .update(table)
        .set({ total: sql`total + ${write.total}` })
        .where(write.does === 'add' ? is : lte(column, write.id));
    case 'remove':
      return tx.delete(table).where(is);
  }
}

/** Its transactions have no promises. */
async function drizzleOnSqlite(url: string): Promise<ArticleWriter> {
  const db = await SYNC_CLIENTS.find(({ name }) => name === 'Drizzle 0.45')!.open(url);
  return {
    name: 'Drizzle 0.45 on SQLite',
    async transact(writes, isUndone) {
      db.transaction((tx) => {
        for (const one of writes) byDrizzle(tx as Drizzle, TABLES.sqlite, one).run();
        if (isUndone) throw new Error('rolled back');
      });
    },
  };
}

async function typeOrm(
  place: ClientDatabase,
  url: string,
  given: DataSource | undefined,
): Promise<ArticleWriter> {
  const dataSource =
    given ?? new DataSource({ ...dataSourceOptions(place, url), entities: [Article] });
  if (!dataSource.isInitialized) await dataSource.initialize();
  return {
    name: 'TypeORM',
    transact: (writes, isUndone) =>
      dataSource.transaction(async (manager) => {
        for (const one of writes) await byTypeOrm(manager, one);
        if (isUndone) throw new Error('rolled back');
      }),
  };
}

function byTypeOrm(manager: EntityManager, write: ArticleWrite): Promise<unknown> {
  const { id } = write;
  switch (write.does) {
    // Of a row that is there it is an update.
    case 'create':
      return manager.save(Article, { id, title: write.title });
    case 'rename':
      return manager.update(Article, { id }, { title: write.title });
    case 'add':
      return manager.increment(Article, { id }, 'total', write.total);
    case 'addUpTo':
      return manager.increment(Article, { id: LessThanOrEqual(id) }, 'total', write.total);
    case 'remove':
      return manager.delete(Article, { id });
  }
}
