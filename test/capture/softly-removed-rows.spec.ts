import {
  Column,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  type EntityTarget,
  PrimaryColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
@Webhooks<Note>({ payload: ({ id, text }) => ({ id, text }) })
@WebhookEvent<Note>('note.created', { on: 'create' })
@WebhookEvent<Note>('note.changed', { on: 'change' })
@WebhookEvent<Note>('note.removed', { on: 'delete' })
class Note {
  @PrimaryColumn() id!: number;
  @Column({ default: 'a' }) text!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
@WebhookEvent<Entry>('entry.removed', { on: 'delete', payload: ({ id }) => id })
class Entry {
  @PrimaryColumn() id!: number;
  @DeleteDateColumn() deletedAt!: Date | null;
}

/** Its events know no soft removal. */
@Entity()
@WebhookEvent<Row>('row', {
  on: ['create', 'change', 'delete'],
  softRemoval: false,
  payload: ({ id }, { on, changes }) => [on, id, Object.keys(changes)],
})
class Row {
  @PrimaryColumn() id!: number;
  @Column({ default: 'a' }) text!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
}

/** Its date is hidden. */
@Entity()
@Webhooks<Shy>({ payload: (row) => row })
@WebhookEvent<Shy>('shy.created', { on: 'create' })
@WebhookEvent<Shy>('shy.changed', { on: 'change' })
@WebhookEvent<Shy>('shy.removed', { on: 'delete' })
class Shy {
  @PrimaryColumn() id!: number;
  @Column({ default: 'a' }) text!: string;
  @DeleteDateColumn({ select: false }) deletedAt!: Date | null;
}

type Entities = typeof Note | typeof Entry | typeof Row;

/** The ways to set the date of a removal. */
const SETS: Readonly<
  Record<
    string,
    (manager: EntityManager, entity: Entities, deletedAt: Date | null) => Promise<unknown>
  >
> = {
  'update()': (manager, entity, deletedAt) => manager.update(entity, { id: 1 }, { deletedAt }),
  'update() by another column': (manager, entity, deletedAt) =>
    manager.createQueryBuilder().update(entity).set({ deletedAt }).where('id < 2').execute(),
  'save()': (manager, entity, deletedAt) => manager.save(entity, { id: 1, deletedAt }),
};

/** Its date is hidden, and its event asks for nothing of the row. */
@Entity()
@WebhookEvent<Shyest>('shyest.removed', { on: 'delete' })
class Shyest {
  @PrimaryColumn() id!: number;
  @DeleteDateColumn({ select: false }) deletedAt!: Date | null;
}

describe.each(DATABASES_ALIKE)('softly removed rows on %s', (kind) => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Note, Entry, Row, Shy, Shyest]);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    for (const entity of [Note, Entry, Row, Shy, Shyest]) {
      await manager().createQueryBuilder().delete().from(entity).callListeners(false).execute();
      await manager().insert<object>(entity, { id: 1 });
    }
    rig.received();
  });

  describe.each(Object.entries(SETS))('a date that is set by %s', (_, set) => {
    it('counts as a removal, and null as a recovery', async () => {
      await set(manager(), Note, new Date());
      await set(manager(), Entry, new Date());
      expect(rig.received()).toEqual(['note.removed {"id":1,"text":"a"}', 'entry.removed 1']);
      await set(manager(), Note, new Date('2020-01-01'));
      await set(manager(), Entry, new Date('2020-01-01'));
      expect(rig.received()).toEqual([]);
      await set(manager(), Note, null);
      await set(manager(), Entry, null);
      expect(rig.received()).toEqual(['note.created {"id":1,"text":"a"}']);
    });

    it('counts with the rest of its transaction', async () => {
      await rig.dataSource.transaction(async (inner) => {
        await set(inner, Note, new Date());
        await set(inner, Note, null);
        await set(inner, Entry, new Date());
        await inner.restore(Entry, 1);
      });
      expect(rig.received()).toEqual([]);
      await rig.dataSource.transaction(async (inner) => {
        await inner.update(Note, 1, { text: 'b' });
        await set(inner, Note, new Date());
        await inner.softDelete(Entry, 1);
        await set(inner, Entry, null);
      });
      expect(rig.received()).toEqual(['note.removed {"id":1,"text":"b"}']);
    });

    it('is a change for events that know no soft removal', async () => {
      await set(manager(), Row, new Date());
      expect(rig.received()).toEqual(['row ["change",1,["deletedAt"]]']);
    });
  });

  it.each([Note, Entry])('refuses to set its date by an SQL expression: %o', async (entity) => {
    const of: EntityTarget<Note | Entry> = entity;
    for (const date of ['NULL', 'CURRENT_TIMESTAMP']) {
      await expect(manager().update(of, 1, { deletedAt: () => date })).rejects.toMatchObject({
        code: 'THORN_BULK_WRITE',
        message: expect.stringContaining('Use softDelete() or restore(), or set a value'),
      });
    }
    expect(rig.received()).toEqual([]);
    expect(await manager().findOneBy(of, { id: 1 })).toMatchObject({ deletedAt: null });
  });

  it('takes an SQL expression of its date for a change where no event knows soft removal', async () => {
    await manager().update(Row, 1, { deletedAt: () => 'CURRENT_TIMESTAMP' });
    expect(rig.received()).toEqual(['row ["change",1,["deletedAt"]]']);
  });

  it('reads nothing of entities without change events whose date is set to null', async () => {
    rig.queries();
    await manager().update(Entry, 1, { deletedAt: null });
    expect(rig.queries()).toHaveLength(1);
  });

  it('knows a removal by a hidden date', async () => {
    const shy = await manager().findOneByOrFail(Shy, { id: 1 });
    await manager().softRemove(shy);
    await manager().softRemove(shy);
    await manager().update(Shy, 1, { text: 'b' });
    await manager().save(Shy, { id: 1, text: 'c' });
    await manager().softDelete(Shy, 1);
    expect(rig.received()).toEqual(['shy.removed {"id":1,"text":"a"}']);
    await manager().recover(shy);
    await manager().recover(shy);
    await manager().restore(Shy, 1);
    expect(rig.received()).toEqual(['shy.created {"id":1,"text":"c"}']);
    await manager().save(Shy, { id: 1, deletedAt: new Date() });
    await manager().restore(Shy, 1);
    await manager().update(Shy, 1, { text: 'd' });
    expect(rig.received()).toEqual([
      'shy.removed {"id":1,"text":"c"}',
      'shy.created {"id":1,"text":"c"}',
      'shy.changed {"id":1,"text":"d"}',
    ]);
    await manager().softDelete(Shy, 1);
    rig.received();
    await manager().delete(Shy, 1);
    expect(rig.received()).toEqual([]);
  });

  it('knows by a hidden date that what is deleted was removed before', async () => {
    const shyest = await manager().findOneByOrFail(Shyest, { id: 1 });
    await manager().softRemove(shyest);
    expect(rig.received()).toHaveLength(1);
    await manager().remove(shyest);
    expect(rig.received()).toEqual([]);
  });

  it.each<[string, (row: object) => Promise<unknown>]>([
    ['save()', (row) => manager().save(Note, row)],
    ['insert()', (row) => manager().insert(Note, row)],
    ['upsert()', (row) => manager().upsert(Note, row, ['id'])],
  ])(
    'sends nothing of one that is removed from its %s on, until it is recovered',
    async (_, put) => {
      await put({ id: 2, deletedAt: new Date() });
      await manager().update(Note, 2, { text: 'b' });
      expect(rig.received()).toEqual([]);
      await manager().restore(Note, 2);
      expect(rig.received()).toEqual(['note.created {"id":2,"text":"b"}']);
      await manager().transaction(async (inner) => {
        await inner.delete(Note, 2);
        await inner.insert(Note, { id: 2, deletedAt: new Date() });
      });
      expect(rig.received()).toEqual(['note.removed {"id":2,"text":"a"}']);
      await manager().insert(Row, { id: 2, deletedAt: new Date() });
      expect(rig.received()).toEqual(['row ["create",2,[]]']);
    },
  );

  it('sends nothing of what is written to a row that was removed', async () => {
    await manager().softDelete(Note, 1);
    rig.received();
    await manager().update(Note, 1, { text: 'b' });
    await manager().update(Note, { text: 'b' }, { text: 'c' });
    await manager().save(Note, { id: 1, text: 'd' });
    await manager().upsert(Note, { id: 1, text: 'e' }, ['id']);
    expect(rig.received()).toEqual([]);
    await manager().restore(Note, 1);
    expect(rig.received()).toEqual(['note.created {"id":1,"text":"e"}']);
    await manager().softDelete(Row, 1);
    await manager().update(Row, 1, { text: 'b' });
    expect(rig.received()).toEqual(['row ["change",1,["text"]]']);
  });
});
