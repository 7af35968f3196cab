import { type INestApplication, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import {
  inline,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookEvent,
  Webhooks,
} from '../../../lib/index.js';
import { createDatabase, type TestDatabase } from '../databases.js';

@Entity()
export class User {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  name!: string;
}

@Entity()
@Webhooks<Article>({
  payload: (article) => ({ title: article.title, author: article.author?.name ?? null }),
  ref: '/articles/{id}',
  owner: 'author.id',
  relations: ['author'],
})
@WebhookEvent<Article>('article.created', { on: 'create' })
@WebhookEvent<Article>('article.changed', { on: 'change' })
@WebhookEvent<Article>('article.removed', { on: 'delete' })
@WebhookEvent<Article>('article.published', {
  on: 'change',
  when: { state: { nowEq: 'PUBLISHED' } },
})
export class Article {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  title!: string;

  @Column({ default: 'DRAFT' })
  state!: string;

  @ManyToOne(() => User, { nullable: true })
  author!: Relation<User> | null;
}

/** The databases that whole-application tests run on. */
export const blogDatabases = ['better-sqlite3', 'postgres'] as const;

/** Creates a database whose options create the tables. */
export async function createBlogDatabase(
  type: (typeof blogDatabases)[number] | 'mariadb',
): Promise<TestDatabase> {
  const { options, drop } = await createDatabase(type === 'better-sqlite3' ? 'memory' : type);
  return { options: { ...options, synchronize: true }, drop };
}

/** Lets webhooks go to the tests' own receivers, and nowhere else on loopback. */
export const loopback = { allowCidrs: ['127.0.0.1/32'], allowedPorts: 'any' } as const;

/** A started blog; `thorn` is what its `ThornModule.forRoot()` gets. */
export async function startBlog(
  database: DataSourceOptions,
  thorn: ThornModuleOptions & ThornModuleExtras = {},
  imports: (Type<unknown> | object)[] = [],
): Promise<{ app: INestApplication; dataSource: DataSource }> {
  @Module({
    imports: [
      TypeOrmModule.forRoot({ ...database, autoLoadEntities: true }),
      TypeOrmModule.forFeature([Article, User]),
      ThornModule.forRoot({
        // What a send() led to can be looked at when it has resolved.
        dispatch: inline(),
        baseUrl: 'https://blog.example.com',
        recipients: loopback,
        ...thorn,
      }),
      ...(imports as Type<unknown>[]),
    ],
  })
  class Blog {}

  const app = (
    await Test.createTestingModule({ imports: [Blog] }).compile()
  ).createNestApplication();
  app.useLogger(false);
  await app.init();
  return { app, dataSource: app.get(DataSource) };
}
