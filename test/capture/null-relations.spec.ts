import {
  Column,
  Entity,
  type EntityManager,
  JoinColumn,
  ManyToOne,
  OneToOne,
  PrimaryColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

/** Its key has two columns. */
@Entity()
class Room {
  @PrimaryColumn() house!: string;
  @PrimaryColumn() number!: number;
}

@Entity()
@Webhooks<Clerk>({ payload: (_, { changes, before }) => ({ changes, boss: before?.boss }) })
@WebhookEvent<Clerk>('clerk.changed', { on: 'change' })
@WebhookEvent<Clerk>('clerk.moved', { on: { change: ['room'] } })
class Clerk {
  @PrimaryColumn() id!: number;
  @Column({ default: '' }) name!: string;
  @ManyToOne(() => Clerk, { nullable: true }) boss!: Clerk | null;
  @ManyToOne(() => Clerk, { nullable: true }) helper!: Promise<Clerk | null>;
  @ManyToOne(() => Room, { nullable: true, eager: true }) room!: Room | null;
  @OneToOne(() => Room, { nullable: true }) @JoinColumn() locker!: Room | null;
  @Column({ type: 'int', nullable: true }) deputyId!: number | null;
  @ManyToOne(() => Clerk, { nullable: true })
  @JoinColumn({ name: 'deputyId' })
  deputy!: Clerk | null;
}

/** The ways to save the row as it is, with its relations to no row, and with another name. */
const SAVES: Readonly<Record<string, (manager: EntityManager, name: object) => Promise<unknown>>> =
  {
    'a row with its relations': async (manager, name) => {
      const relations = { boss: true, locker: true, deputy: true };
      const row = await manager.findOneOrFail(Clerk, { where: { id: 1 }, relations });
      return manager.save(Object.assign(row, name));
    },
    'a row whose lazy relation was read': async (manager, name) => {
      const row = await manager.findOneByOrFail(Clerk, { id: 1 });
      await row.helper;
      return manager.save(Object.assign(row, name));
    },
    'some values': (manager, name) =>
      manager.save(Clerk, { id: 1, boss: null, room: null, locker: null, ...name }),
    'an upsert': (manager, name) =>
      manager.upsert(Clerk, { id: 1, boss: null, room: null, ...name }, ['id']),
    'an update': (manager, name) =>
      manager.update(Clerk, { id: 1 }, { boss: null, room: null, name: '', ...name }),
  };

describe.each(DATABASES_ALIKE)('relations to no row on %s', (kind) => {
  let app: CaptureApp;
  const manager = () => app.dataSource.manager;

  beforeAll(async () => {
    app = await openCaptureApp(kind, [Room, Clerk]);
    await manager().insert(Room, { house: 'a', number: 1 });
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    await manager().createQueryBuilder().delete().from(Clerk).callListeners(false).execute();
    await manager().insert(Clerk, { id: 1 });
    app.received();
  });

  it.each(Object.entries(SAVES))('are no change when they stay so: %s', async (_, save) => {
    await save(manager(), {});
    expect(app.received()).toEqual([]);
    await save(manager(), { name: 'Eve' });
    const changes = { name: { from: '', to: 'Eve' } };
    expect(app.bodies()).toMatchObject([{ type: 'clerk.changed', data: { changes } }]);
  });

  it('are null in what a row was like before, and of what it was changed from and to', async () => {
    await manager().save(Clerk, { id: 1, boss: { id: 1 }, room: { house: 'a', number: 1 } });
    const room = { house: 'a', number: 1 };
    const set = { boss: { from: null, to: 1 }, room: { from: null, to: room } };
    expect(app.bodies().map(({ data }) => data)).toEqual([
      { changes: set, boss: null },
      { changes: set, boss: null },
    ]);
    await manager().save(Clerk, { id: 1, boss: null, room: null });
    const unset = { boss: { from: 1, to: null }, room: { from: room, to: null } };
    expect(app.bodies().map(({ data }) => (data as { changes: object }).changes)).toEqual([
      unset,
      unset,
    ]);
  });
});
