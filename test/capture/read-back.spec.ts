import {
  AfterInsert,
  AfterUpdate,
  Column,
  Entity,
  type EntityManager,
  type InsertEvent,
  ManyToOne,
  PrimaryGeneratedColumn,
  UpdateDateColumn,
  type UpdateEvent,
  VersionColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

const whole = (row: object): unknown => row;

@Entity()
class Owner {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

/** Values that come back as they were given. */
@Entity()
@WebhookEvent<Plain>('plain.created', { on: 'create', payload: whole })
@WebhookEvent<Plain>('plain.changed', { on: 'change', payload: whole })
class Plain {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @Column({ default: 'DRAFT' }) state!: string;
  @Column({ type: 'text', nullable: true }) note!: string | null;
  @Column({ default: 0 }) views!: number;
  @Column({ default: false }) pinned!: boolean;
  @Column({ select: false, default: 'secret' }) hidden!: string;
  @ManyToOne(() => Owner, { nullable: true }) owner!: Owner | null;
  @UpdateDateColumn() updatedAt!: Date;
  @VersionColumn() version!: number;
}

/** Values that a database answers in a form of its own. */
@Entity()
@WebhookEvent<Priced>('priced.created', { on: 'create', payload: whole })
@WebhookEvent<Priced>('priced.changed', { on: 'change', payload: whole })
class Priced {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: '' }) name!: string;
  @Column({ type: 'decimal', precision: 8, scale: 2, default: 0 }) price!: string | number;
  @Column({ type: 'simple-json', nullable: true }) extra!: object | null;
}

@Entity()
@WebhookEvent<Triggered>('triggered.changed', { on: 'change', payload: whole, reread: true })
class Triggered {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

@Entity()
@WebhookEvent<Keyed>('keyed.changed', { on: 'change', payload: ({ ownerId }) => ({ ownerId }) })
class Keyed {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Owner, { nullable: true }) owner!: Owner | null;
  @Column({ nullable: true }) ownerId!: number;
}

class Address {
  @Column({ default: '' }) street!: string;
  @Column({ default: '' }) city!: string;
}

@Entity()
@WebhookEvent<House>('house.changed', {
  on: 'change',
  payload: ({ address }, { before }) => ({ address, before: before?.address }),
})
class House {
  @PrimaryGeneratedColumn() id!: number;
  @Column(() => Address) address!: Address;
}

/** Shows its entities something else than it stores. */
@Entity()
@WebhookEvent<Masked>('masked.saved', { on: ['create', 'change'], payload: whole })
class Masked {
  @PrimaryGeneratedColumn() id!: number;
  @Column() text!: string;
  @AfterInsert() @AfterUpdate() show() {
    this.text = `shown ${this.text}`;
  }
}

@Entity()
@WebhookEvent<Guarded>('guarded.created', { on: 'create', payload: whole })
class Guarded {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @Column({ type: 'varchar', insert: false, nullable: true }) note!: string | null;
}

/** One event reads what the other must not see. */
@Entity()
@WebhookEvent<Vault>('vault.opened', { on: 'change', when: { code: { eq: '0000' } } })
@WebhookEvent<Vault>('vault.changed', { on: 'change', payload: whole })
class Vault {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @Column({ select: false, default: '1234' }) code!: string;
}

const ENTITIES = [Owner, Plain, Priced, Triggered, Keyed, House, Masked, Guarded, Vault];

describe.each(DATABASES_ALIKE)('rows that need no second read on %s', (kind) => {
  let rig: CaptureApp;
  let ada: Owner;
  let bob: Owner;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, ENTITIES);
    [ada, bob] = (await rig.dataSource.manager.save(Owner, [{ name: 'A' }, { name: 'B' }])) as [
      Owner,
      Owner,
    ];
  });
  afterAll(() => rig.close());
  beforeEach(() => {
    rig.received();
    rig.queries();
  });

  const of = <Row extends object>(type: new () => Row) => rig.dataSource.getRepository<Row>(type);
  /** How often a write reads a row after it has written it. */
  const rereads = (): number => {
    const statements = rig.queries();
    const written = statements.findLastIndex((sql) => /^(?:INSERT|UPDATE)/.test(sql));
    return statements.slice(written).filter((sql) => sql.includes('thorn_row')).length;
  };
  const data = (): unknown[] => rig.bodies().map((body) => body.data);
  /** A row as a payload shows it that was read from the database. */
  const asRead = async <Row extends { id: number }>(
    type: new () => Row,
    id: number,
  ): Promise<unknown> =>
    JSON.parse(JSON.stringify(await of(type).findOneByOrFail({ id } as never))) as unknown;

  it.each([
    ['a new row', {}],
    [
      'a new row with everything given',
      { state: 'X', note: 'n', views: 3, pinned: true, hidden: 'h' },
    ],
    ['a new row with a relation', { owner: { id: 1 } }],
  ])('sends %s as it is in the database, without reading it', async (_, fields) => {
    const { id } = await of(Plain).save({ title: 'T', ...fields });
    expect(rereads()).toBe(0);
    expect(data()).toEqual([await asRead(Plain, id)]);
  });

  it.each([
    ['a text', { title: 'U' }],
    ['nothing instead of a text', { note: null, pinned: true }],
    ['a number', { views: 7 }],
    ['a column that is not selected, and another', { hidden: 'x', title: 'V' }],
    ['a relation', { owner: { id: 2 } }],
  ])('sends a row with a changed %s as it is in the database', async (_, change) => {
    const { id } = await of(Plain).save({ title: 'T', note: 'n', owner: ada });
    data();
    await of(Plain).save({ id, ...change });
    expect(rereads()).toBe(1);
    expect(data()).toEqual([await asRead(Plain, id)]);
  });

  it('reads values whose form the database changes', async () => {
    const { id } = await of(Priced).save({ price: 1.5 });
    expect(rereads()).toBe(1);
    expect(data()).toEqual([await asRead(Priced, id)]);
    await of(Priced).save({ id, price: '2.5' });
    expect(rereads()).toBe(1);
    expect(data()).toEqual([await asRead(Priced, id)]);
    await of(Priced).save({ id, extra: { at: new Date(0) } });
    expect(data()).toEqual([await asRead(Priced, id)]);
    rig.queries();
    await of(Priced).save({ id, name: 'only this' });
    expect(rereads()).toBe(1);
    expect(data()).toEqual([await asRead(Priced, id)]);
  });

  it('reads a row to which the same save wrote something else', async () => {
    const { id } = await of(Plain).save({ title: 'T' });
    data();
    await rig.dataSource.transaction(async (manager) => {
      await manager.save(Plain, { id, title: 'U' });
      await manager.query(`UPDATE plain SET views = 99 WHERE id = ${id}`);
    });
    expect(rereads()).toBe(1);
    expect(data()).toMatchObject([{ title: 'U', views: 99 }]);
  });

  it('sends several new rows as they are in the database', async () => {
    const rows = [{ title: 'T' }, { title: 'U', note: 'n', owner: ada }, { title: 'V', views: 3 }];
    const saved = await of(Plain).save(rows);
    expect(data()).toEqual(await Promise.all(saved.map(({ id }) => asRead(Plain, id))));
  });

  it.each<[string, (manager: EntityManager, id: number) => Promise<unknown>]>([
    [
      'changes a row',
      (manager, id) => manager.query(`UPDATE plain SET views = 99 WHERE id = ${id}`),
    ],
    ['adds a row of another class', (manager) => manager.save(Owner, { name: 'C' })],
    [
      'changes a row by an INSERT',
      (manager, id) => {
        const [table, orUpdate] =
          kind === 'mariadb'
            ? ['`plain`', 'ON DUPLICATE KEY UPDATE']
            : ['"plain"', 'ON CONFLICT (id) DO UPDATE SET'];
        return manager.query(
          `INSERT INTO ${table}(id, title, version) VALUES (${id}, 'X', 1) ${orUpdate} views = 99`,
        );
      },
    ],
  ])('reads new rows when the same transaction %s', async (_, write) => {
    await rig.dataSource.transaction(async (manager) => {
      const [row] = await manager.save(Plain, [{ title: 'T' }, { title: 'U' }]);
      await write(manager, row!.id);
    });
    expect(rereads()).toBeGreaterThan(0);
    const sent = data() as { id: number; title?: string }[];
    const plain = sent.filter(({ title }) => title !== undefined);
    expect(plain).toEqual(await Promise.all(plain.map(({ id }) => asRead(Plain, id))));
    expect(plain).toHaveLength(2);
  });

  it('sends what is stored where a hook puts something else into the entity', async () => {
    const saved = await of(Masked).save({ text: 'a' });
    const { id } = saved;
    await of(Masked).save({ id, text: 'b' });
    expect(data()).toEqual([
      { id, text: 'a' },
      { id, text: 'b' },
    ]);
    const shown = {
      listenTo: () => Plain,
      afterInsert: ({ entity }: InsertEvent<Plain>) => void (entity.title = 'shown'),
      afterUpdate: ({ entity }: UpdateEvent<Plain>) => void (entity!.title = 'shown'),
    };
    rig.dataSource.subscribers.unshift(shown);
    const plain = await of(Plain).save({ title: 'a' });
    await of(Plain).save({ id: plain.id, title: 'b' });
    rig.queries();
    await of(Triggered).save({ name: 'of another entity' });
    expect(rereads()).toBe(0);
    rig.dataSource.subscribers.shift();
    expect(data()).toMatchObject([{ title: 'a' }, { title: 'b' }]);
  });

  it('sends no value that the database was not given', async () => {
    const { id } = await of(Guarded).save({ name: 'G', note: 'mine' });
    expect(data()).toEqual([{ id, name: 'G', note: null }]);
  });

  it('sends the saved values, not later changes of the entity', async () => {
    const { id } = await of(Plain).save({ title: 'T' });
    data();
    await rig.dataSource.transaction(async (manager) => {
      const row = await manager.findOneByOrFail(Plain, { id });
      await manager.save(Object.assign(row, { title: 'Saved' }));
      row.title = 'Not saved';
      const added = await manager.save(manager.create(Owner, { name: 'C' }));
      added.name = 'D';
    });
    expect(data()).toMatchObject([{ title: 'Saved' }]);
  });

  it('always reads the row where the event asks for it', async () => {
    const { id } = await of(Triggered).save({ name: 'a' });
    rig.queries();
    await of(Triggered).save({ id, name: 'b' });
    expect(rereads()).toBe(1);
  });

  it('reads a key that is a column and was changed through its relation', async () => {
    const { id } = await of(Keyed).save({ owner: ada });
    await of(Keyed).save({ id, owner: bob });
    expect(data()).toEqual([{ ownerId: bob.id }]);
    await of(Keyed).save({ id, ownerId: ada.id });
    expect(data()).toEqual([{ ownerId: ada.id }]);
  });

  it('keeps old and new values of embedded objects apart', async () => {
    const { id } = await of(House).save({ address: { street: 'S', city: 'C' } });
    await of(House).save({ id, address: { city: 'D' } });
    expect(data()).toEqual([
      { address: { street: 'S', city: 'D' }, before: { street: 'S', city: 'C' } },
    ]);
    // Outside of a transaction, another may remove the row before it is read again.
    rig.dataSource.subscribers.unshift({
      afterUpdate: ({ manager }) => manager.query(`DELETE FROM house WHERE id = ${id}`),
    });
    await of(House).save({ id, address: { city: 'E' } }, { transaction: false });
    rig.dataSource.subscribers.shift();
    expect(await of(House).existsBy({ id })).toBe(false);
    expect(data()).toEqual([
      { address: { street: 'S', city: 'E' }, before: { street: 'S', city: 'D' } },
    ]);
  });

  it('hides columns from a payload that another event of the same row has read', async () => {
    const { id } = await of(Vault).save({ name: 'V' });
    await of(Vault).save({ id, name: 'W', code: '0000' });
    expect(rig.bodies()).toMatchObject([
      { type: 'vault.opened' },
      { type: 'vault.changed', data: { id, name: 'W' } },
    ]);
    await of(Vault).save({ id, name: 'X' });
    expect(rig.received().join()).not.toMatch(/code|0000/);
  });
});
