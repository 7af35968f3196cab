import {
  ChildEntity,
  Column,
  Entity,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  TableInheritance,
} from 'typeorm';
import { describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import type { Message } from '../../lib/message/index.js';
import { ReportedEntities } from '../../lib/typeorm/triggers/reported-entities.js';
import { CAPTURE_DATABASES, type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { reportChanges } from '../support/reported-changes.js';

@Entity()
@TableInheritance({ column: { type: 'varchar', name: 'kind' } })
abstract class Content {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
}

@ChildEntity('post')
@Webhooks<Post>({ payload: ({ id, title, words }) => ({ id, title, words }) })
@WebhookEvent<Post>('post.created', { on: 'create' })
@WebhookEvent<Post>('post.changed', { on: 'change' })
@WebhookEvent<Post>('post.removed', { on: 'delete' })
class Post extends Content {
  @Column({ type: 'int', nullable: true }) words!: number;
}

@ChildEntity('photo')
@Webhooks<Photo>({ payload: ({ id, title, width }) => ({ id, title, width }) })
@WebhookEvent<Photo>('photo.created', { on: 'create' })
@WebhookEvent<Photo>('photo.changed', { on: 'change' })
class Photo extends Content {
  @Column({ type: 'int', nullable: true }) width!: number;
}

/** Others name it by a column that is not its key. */
@Entity()
class Shop {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ unique: true, length: 20 }) code!: string;
  @Column() name!: string;
}

@Entity()
@Webhooks<Sale>({
  payload: ({ id, shop }) => ({ id, shop: shop?.name, code: shop?.code }),
  relations: ['shop'],
})
@WebhookEvent<Sale>('sale.created', { on: 'create' })
@WebhookEvent<Sale>('sale.moved', { on: { change: ['shop'] } })
@WebhookEvent<Sale>('sale.listed', { on: { added: 'shops' } })
@WebhookEvent<Sale>('sale.unlisted', { on: { removed: 'shops' } })
class Sale {
  @PrimaryColumn() id!: number;
  @ManyToOne(() => Shop, { nullable: true })
  @JoinColumn({ name: 'shop_code', referencedColumnName: 'code' })
  shop!: Relation<Shop> | null;
  @ManyToMany(() => Shop)
  @JoinTable({ inverseJoinColumn: { name: 'listed_code', referencedColumnName: 'code' } })
  shops!: Relation<Shop>[];
}

const ENTITIES = [Content, Post, Photo, Shop, Sale] as never;

/** The messages of writes: of hooks, or of what triggers have reported after each. */
async function sentBy(app: CaptureApp, tables: ReportedEntities | undefined): Promise<string[]> {
  const take = tables && (await reportChanges(app.dataSource, tables));
  const { manager } = app.dataSource;
  const sent: string[] = [];
  const after = async <Answer>(write: Promise<Answer>): Promise<Answer> => {
    const answer = await write;
    const made: readonly Message[] =
      take === undefined ? app.strategy.released.splice(0) : await tables!.messagesOf(await take());
    for (const { event, json } of made) {
      const { data } = JSON.parse(json.toString()) as { data: object };
      sent.push(`${event} ${JSON.stringify(data)}`);
    }
    return answer;
  };
  const post = await after(manager.save(Post, { title: 'a', words: 3 }));
  const photo = await after(manager.save(Photo, { title: 'b', width: 9 }));
  await after(manager.save(Post, { id: post.id, words: 4 }));
  await after(manager.update(Photo, { id: photo.id }, { title: 'c' }));
  await after(manager.delete(Post, { id: post.id }));
  const shops = [
    { code: 'rome', name: 'Rome' },
    { code: 'oslo', name: 'Oslo' },
  ];
  const [one, other] = await manager.save(Shop, shops);
  const id = post.id * 10;
  await after(manager.save(Sale, { id, shop: one! }));
  const relation = () => manager.createQueryBuilder().relation(Sale, 'shops').of(id);
  await after(relation().add(other));
  await after(manager.save(Sale, { id, shop: other! }));
  await after(relation().remove(other));
  return sent;
}

describe.each(CAPTURE_DATABASES)('entities whose changes triggers report, on %s', (kind) => {
  it('of one table, and with keys of another column, are told as by hooks', async () => {
    const sent: string[][] = [];
    for (const capture of ['hooks', 'triggers'] as const) {
      const app = await openCaptureApp(kind, ENTITIES, { capture });
      const tables = capture === 'hooks' ? undefined : new ReportedEntities(app.capture);
      sent.push(await sentBy(app, tables));
      await app.close();
    }

    expect(sent[1]).toEqual(sent[0]);
    expect(sent[0]!.map((one) => one.split(' ')[0])).toEqual([
      ...['post.created', 'photo.created', 'post.changed', 'photo.changed', 'post.removed'],
      ...['sale.created', 'sale.listed', 'sale.moved', 'sale.unlisted'],
    ]);
  });

  it('are told of a data source that is initialised again', async () => {
    const app = await openCaptureApp(kind, ENTITIES, { capture: 'triggers' });
    const tables = new ReportedEntities(app.capture);
    const before = await sentBy(app, tables);
    const names = tables.tables.map(({ name }) => name);
    await app.dataSource.destroy();
    await app.dataSource.initialize();
    await app.dataSource.synchronize(true);
    app.capture.attach();

    expect(tables.tables.map(({ name }) => name)).toEqual(names);
    expect(await sentBy(app, tables)).toEqual(before);
    expect(app.strategy.released).toEqual([]);
    await app.close();
  });
});
