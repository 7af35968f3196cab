import { Injectable, Module } from '@nestjs/common';
import {
  Column,
  Entity,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { Q, WebhookEvent, Webhooks } from '../../lib/index.js';

@Entity()
export class Account {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  user!: string;

  @Column({ default: false })
  isStaff!: boolean;
}

@Entity()
@WebhookEvent<Author>('author.{username}', { on: 'change' })
export class Author {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  username!: string;

  @ManyToOne(() => Account)
  account!: Relation<Account>;
}

@Entity()
@WebhookEvent<Tag>('tag.used', { on: { added: 'posts' } })
@WebhookEvent<Tag>('tag.unused', { on: { removed: 'posts' } })
@WebhookEvent<Tag>('tag.abandoned', { on: { cleared: 'posts' } })
export class Tag {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  name!: string;

  @ManyToMany(() => Post, (post) => post.tags)
  posts!: Relation<Post>[];
}

@Entity()
@Webhooks<Post>({
  payload: ({ title }) => ({ title }),
  headers: ({ title }) => ({ 'X-Title': title }),
  owner: 'author.account.user',
  ref: '/posts/{id}',
})
@WebhookEvent<Post>('post.created', { on: 'create' })
@WebhookEvent<Post>('post.changed', { on: 'change' })
@WebhookEvent<Post>('post.removed', { on: 'delete' })
@WebhookEvent<Post>('post.linked', {
  on: 'create',
  ref: ({ title }) => `https://elsewhere.example.com/${title}`,
  payload: ({ title }) => ({ shout: title.toUpperCase() }),
})
@WebhookEvent<Post>('post.by.{author.username}', { on: 'create' })
@WebhookEvent<Post>('post.hot', { on: 'change', when: { state: 'PUBLISHED', title: 'hot' } })
@WebhookEvent<Post>('post.odd', {
  on: 'change',
  when: Q<Post>({ state: 'PUBLISHED' })
    .and({ title: 'odd' })
    .or(Q<Post>({ state: { in: ['DRAFT', 'PUBLISHED'] } }).not()),
})
@WebhookEvent<Post>('post.settled', {
  on: 'create',
  timeout: 5_000,
  retry: { max: 2, delay: 60_000 },
  recipients: { denyCidrs: ['10.0.0.0/8'] },
  subscribers: () => null,
  requestData: { version: 2 },
  keepAlive: false,
})
@WebhookEvent<Post>('post.tagged', { on: { added: 'tags' } })
@WebhookEvent<Post>('post.untagged', { on: { removed: 'tags' } })
@WebhookEvent<Post>('post.bare', { on: { cleared: 'tags' } })
@WebhookEvent<Post>('post.broken', {
  on: 'create',
  payload: () => {
    throw new Error('cannot tell');
  },
})
@WebhookEvent<Post>('post.strict', {
  on: 'create',
  when: { title: 'strict' },
  propagateErrors: true,
  payload: () => {
    throw new Error('cannot tell');
  },
})
export class Post {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  title!: string;

  @Column({ default: 'DRAFT' })
  state!: string;

  @ManyToOne(() => Author, { nullable: true })
  author!: Relation<Author> | null;

  @ManyToMany(() => Tag, (tag) => tag.posts)
  @JoinTable()
  tags!: Tag[];
}

/** An entity without any setting. */
@Entity()
@WebhookEvent<Plain>('plain.made', { on: 'create' })
export class Plain {
  @PrimaryGeneratedColumn()
  id!: number;
}

@Injectable()
export class Orders {
  @WebhookEvent('order.cancelled', { data: (order: { id: string }) => order })
  async cancel(id: string): Promise<{ id: string }> {
    return { id };
  }
}

@Module({ providers: [Orders], exports: [Orders] })
export class OrdersModule {}
