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

  it('is an update like others where the key stays as it is', async () => {
    rig.queries();
    await manager().update(Opened, { no: 1 }, { no: 1, name: 'B' });
    await manager().update(Opened, 1, { no: 1, name: 'C' });
    expect(rig.queries()).toHaveLength(2);
    await manager().update(Hall, 1, { no: 1, name: 'C' });
    expect(rig.received()).toEqual(['hall {"on":"change","no":1,"name":"C"}']);
  });

  it.each<[string, typeof Hall | typeof Opened | typeof Closed, object, object]>([
    ['to a value', Hall, { name: 'A' }, { no: 7 }],
    ['to a value, by id', Hall, { no: 1 }, { no: 7, name: 'Z' }],
    ['to the value that it may have', Hall, { name: 'A' }, { no: 1 }],
    ['by an SQL expression', Hall, { no: 1 }, { no: () => 'no + 100' }],
    ['with events for created rows alone', Opened, { no: 1 }, { no: 7 }],
    ['with events for removed rows alone', Closed, { no: 1 }, { no: 7 }],
  ])('is refused before it begins: %s', async (_, entity, criteria, set) => {
    const update = (on = manager()) => on.update(entity, criteria, set);
    await expect(update()).rejects.toMatchObject({
      code: 'THORN_BULK_WRITE',
      message: expect.stringMatching(
        /: update sets the primary key and is refused before it begins.* insert a row with the new key.*callListeners\(false\)$/,
      ) as unknown,
    });
    await rig.dataSource.transaction((inner) => expect(update(inner)).rejects.toThrow(/the key/));
    expect(await manager().findBy(entity, { no: 1 })).toHaveLength(1);
    await manager()
      .createQueryBuilder()
      .update(entity)
      .set(set)
      .where(criteria)
      .callListeners(false)
      .execute();
    expect(rig.received()).toEqual([]);
  });
});
