import { Logger } from '@nestjs/common';
import {
  Column,
  DeleteDateColumn,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
class Account {
  @PrimaryGeneratedColumn() id!: number;
  @Column() plan!: string;
  @Column({ default: false }) closed!: boolean;
}

@Entity()
class Writer {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @Column({ select: false, default: '' }) password!: string;
  @ManyToOne(() => Account, { eager: true, nullable: true }) account!: Account | null;
}

/** Events that need no row. */
@Entity()
@WebhookEvent<Ping>('ping.created', { on: 'create' })
@WebhookEvent<Ping>('ping.changed', { on: 'change' })
@WebhookEvent<Ping>('ping.removed', { on: 'delete' })
class Ping {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar', nullable: true }) text!: string | null;
  @Column({ type: 'decimal', precision: 8, scale: 2, default: 0 }) price!: string | number;
  @Column({ type: 'simple-json', nullable: true }) extra!: object | null;
  @Column({ select: false, default: '' }) hidden!: string;
  @UpdateDateColumn() updatedAt!: Date;
  @VersionColumn() version!: number;
}

@Entity()
@WebhookEvent<Story>('story.moved', {
  on: 'change',
  when: { writer: { id: { nowEq: 1 } } },
  payload: ({ writer }, { before }) => ({ to: writer?.name, before: before?.writer?.id }),
  relations: ['writer'],
})
@WebhookEvent<Story>('story.renamed', {
  on: 'change',
  when: { title: { nowStartsWith: 'The' } },
  payload: ({ title }) => title,
})
@WebhookEvent<Story>('story.by.{writer.name}', {
  on: 'create',
  owner: 'writer.account.id',
  payload: (row) => row,
})
@WebhookEvent<Story>('story.gone', {
  on: 'delete',
  owner: 'writer.account.id',
  payload: ({ title, notes, writer }) => ({
    title,
    notes: notes.map(({ text }) => text),
    writer: writer?.name,
  }),
  relations: ['notes'],
})
class Story {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @ManyToOne(() => Writer, { nullable: true }) writer!: Writer | null;
  @OneToMany(() => Note, (note) => note.story) notes!: Note[];
}

@Entity()
class Note {
  @PrimaryGeneratedColumn() id!: number;
  @Column() text!: string;
  @ManyToOne(() => Story, (story) => story.notes, { onDelete: 'CASCADE' }) story!: Story;
  @DeleteDateColumn() deletedAt!: Date | null;
}

/** A transition that looks through a relation, and one at a column that is not selected. */
@Entity()
@WebhookEvent<Deal>('deal.upgraded', {
  on: 'change',
  when: { account: { plan: { nowEq: 'gold' } } },
  payload: (row, { before }) => ({ row, before }),
})
class Deal {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: '' }) memo!: string;
  @ManyToOne(() => Account, { nullable: true }) account!: Account | null;
}

@Entity()
@WebhookEvent<Lock>('lock.opened', {
  on: 'change',
  when: { code: { nowEq: '0000' } },
  payload: (row, { before }) => ({ row, before }),
})
class Lock {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @Column({ select: false, default: '1234' }) code!: string;
}

describe.each(DATABASES_ALIKE)('rows of events on %s', (kind) => {
  let rig: CaptureApp;
  let ada: Writer;
  let bob: Writer;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Account, Writer, Ping, Story, Note, Deal, Lock]);
    const account = await rig.dataSource.manager.save(Account, { plan: 'free' });
    ada = await rig.dataSource.manager.save(Writer, { name: 'Ada', password: 'x', account });
    bob = await rig.dataSource.manager.save(Writer, { name: 'Bob', account: null });
  });
  afterAll(() => rig.close());
  beforeEach(() => {
    rig.received();
    rig.queries();
  });

  const selects = () => rig.queries().filter((sql) => sql.startsWith('SELECT'));
  const of = <Row extends object>(type: new () => Row) => rig.dataSource.getRepository<Row>(type);

  /** How many SELECTs a save makes, of which `own` are TypeORM's. */
  const plain = async (write: () => Promise<unknown>): Promise<number> => {
    rig.capture.detach();
    rig.queries();
    await write();
    rig.capture.attach();
    return selects().length;
  };

  /** Where others may write a row since TypeORM has read it, it is read again under a lock. */
  const locked = kind === 'sqlite' ? 0 : 1;

  it('reads a row that no event shows only to tell a change', async () => {
    const own = await plain(() => of(Ping).save({ text: 'a' }));
    const { id } = await of(Ping).save({ text: 'a' });
    expect(selects()).toHaveLength(own);
    await of(Ping).save({ id, text: 'b' });
    await of(Ping).remove(await of(Ping).findOneByOrFail({ id }));
    expect(rig.received()).toEqual(['ping.created {}', 'ping.changed {}', 'ping.removed {}']);
    expect(selects()).toHaveLength(
      (await plain(async () => {
        const row = await of(Ping).save({ text: 'c' });
        await of(Ping).save({ id: row.id, text: 'd' });
        await of(Ping).remove(await of(Ping).findOneByOrFail({ id: row.id }));
      })) -
        own +
        1 +
        locked +
        locked,
    );
  });

  it('sends change only for values that differ', async () => {
    const { id } = await of(Ping).save({ text: 'a', price: '1.50', extra: { a: 1 } });
    rig.received();
    await of(Ping).save({ id, price: 1.5, extra: { a: 1 } });
    await of(Ping).save({ id, hidden: 'new' });
    expect(rig.received()).toEqual([]);
    await of(Ping).save({ id, extra: { a: 2 } });
    expect(rig.received()).toEqual(['ping.changed {}']);
  });

  it('sends no event for a value that the same transaction changes back', async () => {
    const { id } = await of(Ping).save({ text: 'a' });
    rig.received();
    await rig.dataSource.transaction(async (manager) => {
      await manager.save(Ping, { id, text: 'b' });
      await manager.save(Ping, { id, text: 'a' });
    });
    expect(rig.received()).toEqual([]);
  });

  it('reads all rows of a class in one query', async () => {
    const rows = Array.from({ length: 30 }, (_, index) => ({ title: `S${index}`, writer: ada }));
    const own = await plain(() => of(Story).save(rows.map((row) => ({ ...row }))));
    await of(Story).save(rows.map((row) => ({ ...row })));
    expect(selects()).toHaveLength(own + 1);
    expect(rig.received()).toHaveLength(30);
  });

  it('fills names and senders through relations, and hides columns that are not selected', async () => {
    await of(Story).save({ title: 'S', writer: { id: ada.id } });
    expect(rig.bodies()).toMatchObject([
      { type: 'story.by.Ada', owner: String(ada.account!.id), data: { title: 'S' } },
    ]);
    await of(Story).save({ title: 'T', writer: { id: ada.id } });
    expect(rig.received()[0]).not.toContain('password');
  });

  it('notices a changed relation by its key, without a query for the old row', async () => {
    const { id } = await of(Story).save({ title: 'S', writer: ada });
    const own = await plain(() => of(Story).save({ id, writer: { id: bob.id } }));
    rig.received();
    await of(Story).save({ id, writer: { id: ada.id } });
    expect(selects()).toHaveLength(own + 1 + locked);
    expect(rig.received()).toEqual(['story.moved {"to":"Ada","before":2}']);
    await of(Story).save({ id, title: 'Not moved' });
    expect(rig.received()).toEqual([]);
  });

  it('sends a removed row with its relations, with one more query', async () => {
    const story = await of(Story).save({ title: 'S', writer: ada });
    await of(Note).save([
      { text: 'one', story },
      { text: 'two', story },
    ]);
    await of(Note).softRemove(
      await of(Note).findOneByOrFail({ text: 'two', story: { id: story.id } }),
    );
    const other = await of(Story).save({ title: 'S', writer: ada });
    rig.received();
    const own = await plain(() => of(Story).remove(other));
    rig.queries();
    await of(Story).remove(of(Story).create({ id: story.id }));
    expect(selects()).toHaveLength(own + 1 + locked);
    expect(rig.bodies()).toMatchObject([
      {
        type: 'story.gone',
        owner: String(ada.account!.id),
        data: { title: 'S', notes: ['one'], writer: 'Ada' },
      },
    ]);
  });

  it('reads the old side of a relation for a transition once', async () => {
    const [free, gold] = (await of(Account).save([{ plan: 'free' }, { plan: 'gold' }])) as [
      Account,
      Account,
    ];
    const { id } = await of(Deal).save({ account: free });
    const own = await plain(() => of(Deal).save({ id, memo: 'x' }));
    await of(Deal).save({ id, account: gold });
    expect(selects()).toHaveLength(own + 2 + locked);
    expect(rig.bodies()).toMatchObject([
      { data: { row: { account: { plan: 'gold' } }, before: { account: { plan: 'free' } } } },
    ]);
    await of(Deal).save({ id, memo: 'still gold' });
    expect(rig.received()).toEqual([]);
  });

  it('reads a column that is not selected for a transition, and hides it from the payload', async () => {
    const { id } = await of(Lock).save({ name: 'L' });
    await of(Lock).save({ id, code: '0000' });
    expect(rig.received()).toEqual([
      `lock.opened ${JSON.stringify({ row: { id, name: 'L' }, before: { id, name: 'L' } })}`,
    ]);
    await of(Lock).save({ id, code: '0000', name: 'M' });
    expect(rig.received()).toEqual([]);
  });

  it('evaluates conditions from the first old to the last new row of a transaction', async () => {
    const { id } = await of(Story).save({ title: 'A', writer: ada });
    rig.received();
    await rig.dataSource.transaction(async (manager) => {
      await manager.save(Story, { id, title: 'The draft' });
      await manager.save(Story, { id, title: 'The end' });
    });
    expect(rig.received()).toEqual(['story.renamed "The end"']);
    await rig.dataSource.transaction(async (manager) => {
      await manager.save(Story, { id, title: 'No' });
      await manager.save(Story, { id, title: 'The end again' });
    });
    expect(rig.received()).toEqual([]);
  });

  it('sends nothing of a row that is gone before the commit', async () => {
    const { id } = await of(Story).save({ title: 'A', writer: ada });
    rig.received();
    await rig.dataSource.transaction(async (manager) => {
      await manager.save(Story, { id, title: 'The end' });
      await manager.query(`DELETE FROM story WHERE id = ${id}`);
    });
    expect(rig.received()).toEqual([]);
    await rig.dataSource.transaction(async (manager) => {
      const created = await manager.save(Story, { title: 'B', writer: ada });
      await manager.query(`DELETE FROM story WHERE id = ${created.id}`);
    });
    expect(rig.received()).toEqual([]);
  });

  it('sends to subscribers without an owner and warns once when the owner is empty', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    await of(Story).save([
      { title: 'B', writer: bob },
      { title: 'C', writer: bob },
    ]);
    const messages = rig.strategy.released.map(({ audience, owner }) => ({ audience, owner }));
    expect(messages).toEqual([
      { audience: 'owner', owner: null },
      { audience: 'owner', owner: null },
    ]);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/story\.by.*only ownerless/)]]);
    warn.mockRestore();
  });

  it('drops an event whose name lacks a value, and names the field', async () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await of(Story).save({ title: 'B', writer: null });
    expect(rig.received()).toEqual([]);
    expect(String(error.mock.calls[0]?.[0])).toMatch(
      /Story.*story\.by\.\{writer\.name\}.*writer\.name/,
    );
    error.mockRestore();
  });
});
