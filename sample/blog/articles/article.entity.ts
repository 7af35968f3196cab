import { WebhookEvent, Webhooks } from 'nestjs-thorn';
import { Column, Entity, JoinTable, ManyToMany, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { User } from '../users/user.entity.js';
import { Tag } from './tag.entity.js';

export type ArticleState = 'DRAFT' | 'PUBLISHED';

@Entity()
@Webhooks<Article>({
  payload: ({ title, state }) => ({ title, state }),
  ref: '/articles/{id}',
  owner: 'author.id', // only the author's own subscribers hear of it
  orderBy: true, // what happens to an article has a sequence
})
@WebhookEvent<Article>('article.created', { on: 'create' })
@WebhookEvent<Article>('article.changed', { on: 'change' })
@WebhookEvent<Article>('article.removed', { on: 'delete' })
@WebhookEvent<Article>('article.published', {
  on: 'change',
  when: { state: { nowEq: 'PUBLISHED' } },
})
@WebhookEvent<Article>('article.breaking', {
  on: 'change',
  when: { state: { nowEq: 'PUBLISHED' }, tags: { name: 'news' } },
})
@WebhookEvent<Article>('article.tagged', {
  on: { added: 'tags' },
  payload: ({ title }, { related }) => ({ title, tags: related.map((tag) => (tag as Tag).name) }),
})
export class Article {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  title!: string;

  @Column('text')
  body!: string;

  @Column({ type: 'varchar', default: 'DRAFT' })
  state!: ArticleState;

  @ManyToOne(() => User, { nullable: false })
  author!: User;

  @ManyToMany(() => Tag)
  @JoinTable()
  tags!: Tag[];
}
