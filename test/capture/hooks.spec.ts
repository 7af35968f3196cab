import {
  Column,
  Entity,
  type EntityManager,
  type EntitySubscriberInterface,
  type InsertEvent,
  ManyToOne,
  type ObjectLiteral,
  PrimaryColumn,
  type UpdateEvent,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
class Editor {
  @PrimaryColumn()
  id!: number;
}

@Entity()
@Webhooks<Note>({
  payload: ({ id, title, by, editor }, { changes }) => ({
    row: [id, title, by, editor?.id ?? null],
    changes,
  }),
  relations: ['editor'],
})
@WebhookEvent<Note>('note.created', { on: 'create' })
@WebhookEvent<Note>('note.changed', { on: 'change' })
@WebhookEvent<Note>('note.deleted', { on: 'delete' })
class Note {
  @PrimaryColumn()
  id!: number;

  @Column()
  title!: string;

  @Column({ type: 'varchar', nullable: true })
  by!: string | null;

  @ManyToOne(() => Editor, { nullable: true })
  editor!: Editor | null;
}

/** Of plain columns, so that PostgreSQL answers its rows from the statement itself. */
@Entity()
@Webhooks<Memo>({
  payload: ({ id, title, by }, { changes }) => ({ row: [id, title, by], changes }),
})
@WebhookEvent<Memo>('memo.changed', { on: 'change' })
@WebhookEvent<Memo>('memo.deleted', { on: 'delete' })
class Memo {
  @PrimaryColumn()
  id!: number;

  @Column()
  title!: string;

  @Column({ type: 'varchar', nullable: true })
  by!: string | null;
}

/** More than one is too many for its events. */
@Entity()
@Webhooks<Leaf>({ payload: ({ id }) => id, bulkLimit: 1, bulkOverflow: 'warn' })
@WebhookEvent<Leaf>('leaf.deleted', { on: 'delete' })
class Leaf {
  @PrimaryColumn()
  id!: number;
}

type Hook = (values: ObjectLiteral, manager: EntityManager) => unknown;

/** What the application's subscriber does before a write. */
class Subscriber implements EntitySubscriberInterface<ObjectLiteral> {
  before: Hook = () => undefined;
  readonly calls: string[] = [];

  async beforeInsert({ entity, manager }: InsertEvent<ObjectLiteral>) {
    this.calls.push('beforeInsert');
    await this.before(entity, manager);
  }

  async beforeUpdate({ entity, manager }: UpdateEvent<ObjectLiteral>) {
    this.calls.push('beforeUpdate');
    await this.before(entity!, manager);
  }

  async beforeRemove({ manager }: { manager: EntityManager }) {
    this.calls.push('beforeRemove');
    await this.before({}, manager);
  }

  afterInsert() {
    this.calls.push('afterInsert');
  }

  afterUpdate() {
    this.calls.push('afterUpdate');
  }

  afterRemove() {
    this.calls.push('afterRemove');
  }
}

const stamp: Hook = (values) => {
  values['by'] = 'bob';
};
const trim: Hook = (values) => {
  values['title'] = String(values['title']).trim();
};

describe.each(DATABASES_ALIKE)('hooks before writes by criteria, on %s', (kind) => {
  let app: CaptureApp;
  let manager: EntityManager;
  const subscriber = new Subscriber();

  beforeAll(async () => {
    app = await openCaptureApp(kind, [Editor, Note, Memo, Leaf]);
    ({ manager } = app.dataSource);
    app.dataSource.subscribers.push(subscriber as EntitySubscriberInterface);
    await manager.insert(Editor, [{ id: 1 }, { id: 2 }]);
  });
  afterAll(() => app.close());

  beforeEach(async () => {
    subscriber.before = () => undefined;
    for (const entity of [Note, Memo]) {
      await manager.createQueryBuilder().delete().from(entity).execute();
      await manager.insert(entity, { id: 1, title: 'a' });
      await manager.insert(entity, { id: 2, title: 'b' });
    }
    app.received();
    subscriber.calls.length = 0;
  });

  const sent = () => app.bodies().map(({ type, data }) => ({ type, ...(data as object) }));

  it('sends what a hook sets besides', async () => {
    subscriber.before = stamp;
    const changes = { title: { from: 'a', to: 'x' }, by: { from: null, to: 'bob' } };
    await manager.update(Note, 1, { title: 'x' });
    expect(sent()).toEqual([{ type: 'note.changed', row: [1, 'x', 'bob', null], changes }]);
    await manager.update(Memo, 1, { title: 'x' });
    await manager.update(Memo, { title: 'x' }, { title: 'x' });
    expect(sent()).toEqual([{ type: 'memo.changed', row: [1, 'x', 'bob'], changes }]);
  });

  it('sends a change that a hook alone makes', async () => {
    subscriber.before = stamp;
    const changes = { by: { from: null, to: 'bob' } };
    await manager.update(Note, { title: 'a' }, { title: 'a' });
    expect(sent()).toEqual([{ type: 'note.changed', row: [1, 'a', 'bob', null], changes }]);
    await manager.update(Memo, { title: 'a' }, { title: 'a' });
    expect(sent()).toEqual([{ type: 'memo.changed', row: [1, 'a', 'bob'], changes }]);
  });

  it('sends what a hook makes of a value, and nothing when that is what the row has', async () => {
    subscriber.before = trim;
    for (const criteria of [1, { title: 'a' }]) {
      await manager.update(Memo, criteria, { title: '  a ' });
      expect(sent()).toEqual([]);
    }
    await manager.update(Memo, { title: 'a' }, { title: '  x ' });
    const changes = { title: { from: 'a', to: 'x' } };
    expect(sent()).toEqual([{ type: 'memo.changed', row: [1, 'x', null], changes }]);
    await manager.createQueryBuilder().update(Memo).set({ title: ' y' }).where('id = 1').execute();
    expect(sent()).toMatchObject([{ row: [1, 'y', null] }]);
  });

  it('knows the relation that a hook sets, as it was before', async () => {
    await manager.update(Note, 1, { editor: { id: 1 } });
    app.received();
    subscriber.before = (values) => {
      values['editor'] = { id: 2 };
    };
    await manager.update(Note, 1, { title: 'a' });
    expect(sent()).toMatchObject([
      { row: [1, 'a', null, 2], changes: { editor: { from: 1, to: 2 } } },
    ]);
    await manager.update(Note, 1, { title: 'a' });
    expect(sent()).toEqual([]);
  });

  it('sends what a hook makes of an upsert, and refuses one whose key it changes', async () => {
    subscriber.before = trim;
    await manager.upsert(Note, { id: 1, title: ' x ' }, ['id']);
    expect(sent()).toMatchObject([{ type: 'note.changed', row: [1, 'x', null, null] }]);
    subscriber.before = (values) => {
      values['id'] += 1;
    };
    for (const id of [1, 7]) {
      await expect(manager.upsert(Note, { id, title: 'y' }, ['id'])).rejects.toMatchObject({
        code: 'THORN_WRITE_UNCLEAR',
        message: expect.stringMatching(/^Note: a hook .*Set the value before the upsert/),
      });
    }
    expect(await manager.find(Note, { order: { id: 'ASC' } })).toMatchObject([
      { id: 1, title: 'x' },
      { id: 2, title: 'b' },
    ]);
    expect(sent()).toEqual([]);
  });

  it('writes the rows that match before a hook, and no others', async () => {
    subscriber.before = async (_, { queryRunner }) => {
      await queryRunner!.query(`UPDATE note SET title = 'a' WHERE id = 2`);
    };
    await manager.update(Note, { title: 'a' }, { title: 'x' });
    expect(sent()).toMatchObject([{ row: [1, 'x', null, null] }]);
    await manager.delete(Note, { title: 'a' });
    expect(sent().map(({ type }) => type)).toEqual(['note.deleted']);
    expect(await manager.find(Note)).toMatchObject([{ id: 1, title: 'x' }]);
  });

  it('calls each hook once, in the order of TypeORM, and not for a write without listeners', async () => {
    await manager.update(Note, 1, { title: 'x' });
    await manager.update(Memo, 1, { title: 'x' });
    await manager.delete(Note, { title: 'x' });
    await manager.upsert(
      Memo,
      [
        { id: 1, title: 'y' },
        { id: 3, title: 'y' },
      ],
      ['id'],
    );
    expect(subscriber.calls).toEqual([
      ...[
        'beforeUpdate',
        'afterUpdate',
        'beforeUpdate',
        'afterUpdate',
        'beforeRemove',
        'afterRemove',
      ],
      // Where rows are locked, the new one is inserted by itself, ahead of the one that is there.
      ...(kind === 'sqlite'
        ? ['beforeInsert', 'beforeInsert', 'afterInsert', 'afterInsert']
        : ['beforeInsert', 'afterInsert', 'beforeInsert', 'afterInsert']),
    ]);
    app.received();
    const builder = manager.createQueryBuilder().update(Memo).set({ title: 'z' }).where('id = 1');
    await builder.execute();
    expect(app.received()).toHaveLength(1);
    await builder.set({ title: 'q' }).callListeners(false).execute();
    expect(subscriber.calls).toHaveLength(12);
    expect(app.received()).toEqual([]);
  });

  it('calls each hook once for a write of too many rows', async () => {
    await manager.insert(Leaf, [{ id: 1 }, { id: 2 }]);
    subscriber.calls.length = 0;
    await manager.createQueryBuilder().delete().from(Leaf).where('id > 0').execute();
    expect(subscriber.calls).toEqual(['beforeRemove', 'afterRemove']);
    expect(await manager.count(Leaf)).toBe(0);
    expect(app.received()).toEqual([]);
  });

  it('makes no write that a hook refuses', async () => {
    subscriber.before = () => Promise.reject(new Error('no'));
    await expect(manager.update(Note, 1, { title: 'x' })).rejects.toThrow('no');
    subscriber.before = () => undefined;
    expect(await manager.findOneBy(Note, { id: 1 })).toMatchObject({ title: 'a' });
    await manager.update(Note, 1, { title: 'x' });
    expect(sent()).toHaveLength(1);
  });
});
