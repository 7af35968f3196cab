import {
  Column,
  Entity,
  ManyToOne,
  PrimaryColumn,
  type Relation,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
@WebhookEvent<Hall>('hall', {
  on: ['create', 'change', 'delete'],
  payload: ({ no, name }, { on }) => ({ on, no, name }),
})
class Hall {
  @PrimaryColumn() no!: number;
  @Column() name!: string;
  @VersionColumn() version!: number;
  @UpdateDateColumn() updatedAt!: Date;
}

@Entity()
@WebhookEvent<Opened>('opened', { on: 'create', payload: ({ no }) => no })
class Opened {
  @PrimaryColumn() no!: number;
  @Column({ default: 'A' }) name!: string;
}

@Entity()
@WebhookEvent<Closed>('closed', {
  on: 'delete',
  relations: ['hall'],
  payload: ({ no, hall }) => [no, hall?.name],
})
class Closed {
  @PrimaryColumn() no!: number;
  @ManyToOne(() => Hall, { nullable: true, createForeignKeyConstraints: false })
  hall!: Relation<Hall> | null;
}

describe.each(DATABASES_ALIKE)('an update by criteria that sets the key on %s', (kind) => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Hall, Opened, Closed], { bulkLimit: 2 });
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    for (const entity of [Closed, Opened, Hall]) {
      await manager().createQueryBuilder().delete().from(entity).callListeners(false).execute();
    }
    await manager().insert(Hall, [
      { no: 1, name: 'A' },
      { no: 2, name: 'B' },
    ]);
    await manager().insert(Opened, { no: 1 });
    await manager().insert(Closed, { no: 1, hall: { no: 1 } });
    rig.received();
  });

  it('tells of events for created or for removed rows alone', async () => {
    await manager().update(Opened, 1, { no: 12 });
    await manager().update(Closed, { no: 1 }, { no: 12 });
    expect(rig.received()).toEqual(['opened 12', 'closed [1,"A"]']);
    await manager().update(Opened, 12, { no: 12 });
    await manager().update(Closed, 12, { no: 12 });
    expect(rig.received()).toEqual([]);
  });

  it('is an update like others where the key stays as it is', async () => {
    rig.queries();
    await manager().update(Opened, { no: 1 }, { no: 1, name: 'B' });
    await manager().update(Opened, 1, { no: 1, name: 'C' });
    expect(rig.queries()).toHaveLength(2);
    expect(rig.received()).toEqual([]);
  });

  it('counts with a deletion in the same transaction', async () => {
    await rig.dataSource.transaction(async (inner) => {
      await inner.update(Closed, 1, { no: 12 });
      await inner.delete(Closed, 12);
      await inner.update(Opened, 1, { no: 12 });
      await inner.delete(Opened, 12);
    });
    expect(rig.received()).toEqual(['closed [1,"A"]']);
  });

  it('sends nothing of a key that is changed back', async () => {
    await rig.dataSource.transaction(async (inner) => {
      await inner.update(Hall, 2, { no: 7 });
      await inner.update(Hall, 7, { no: 2 });
      await inner.update(Closed, 1, { no: 7 });
      await inner.update(Closed, 7, { no: 1 });
      await inner.update(Opened, 1, { no: 7 });
      await inner.update(Opened, 7, { no: 1 });
    });
    expect(rig.received()).toEqual([]);
  });

  it('is refused of an entity without events for changes, of too many rows and by an expression', async () => {
    await manager().insert(Closed, [{ no: 2 }, { no: 3 }]);
    for (const set of [{ no: 9 }, { no: () => 'no + 100' }]) {
      const update = manager().createQueryBuilder().update(Closed).set(set).execute();
      await expect(update).rejects.toMatchObject({
        code: 'THORN_BULK_WRITE',
        message: expect.stringMatching(
          /^Closed: update (?:hits more than 2 rows|sets the primary key by an SQL)/,
        ) as unknown,
      });
    }
    expect(await manager().countBy(Closed, { no: 1 })).toBe(1);
    expect(rig.received()).toEqual([]);
  });

  it('tells a row that is gone, and one that is new', async () => {
    await manager().update(Hall, { name: 'A' }, { no: 7 });
    expect(rig.received()).toEqual([
      'hall {"on":"delete","no":1,"name":"A"}',
      'hall {"on":"create","no":7,"name":"A"}',
    ]);
  });

  it.each<[string, object]>([
    ['by id', { no: 1 }],
    ['by another column', { name: 'A' }],
  ])('is refused before it begins when it does so by an expression, %s', async (_, criteria) => {
    const update = manager().update(Hall, criteria, { no: () => 'no + 100' });
    await expect(update).rejects.toMatchObject({
      code: 'THORN_BULK_WRITE',
      message: expect.stringMatching(
        /^Hall: update sets the primary key by an SQL expression and is refused.* because hall could .*callListeners\(false\)$/,
      ) as unknown,
    });
    expect(await manager().countBy(Hall, { no: 1 })).toBe(1);
    await manager()
      .createQueryBuilder()
      .update(Hall)
      .set({ no: () => 'no + 100' })
      .where(criteria)
      .callListeners(false)
      .execute();
    expect(await manager().countBy(Hall, { no: 101 })).toBe(1);
    expect(rig.received()).toEqual([]);
  });
});
