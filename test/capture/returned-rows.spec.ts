import { Logger } from '@nestjs/common';
import {
  Column,
  Entity,
  type EntitySubscriberInterface,
  type ObjectLiteral,
  PrimaryColumn,
  type UpdateEvent,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';

@Entity({ name: 'parcels', schema: 'public' })
@Webhooks<Parcel>({ bulkLimit: 3 })
@WebhookEvent<Parcel>('parcel.changed', {
  on: 'change',
  payload: (_, { changes }) => changes,
})
@WebhookEvent<Parcel>('parcel.removed', { on: 'delete', payload: (row) => row })
class Parcel {
  @PrimaryColumn({ name: 'parcel_no' }) id!: number;
  @Column({ name: 'shelf', type: 'varchar', transformer: { from: lower, to: upper } })
  place!: string;
  @Column({ type: 'int', default: 0 }) weight!: number;
  @Column({ type: 'timestamptz', nullable: true }) sentAt!: Date | null;
  @Column({ type: 'jsonb', nullable: true }) labels!: string[] | null;
}

function lower(value: string): string {
  return value.toLowerCase();
}

function upper(value: unknown): unknown {
  return typeof value === 'string' ? value.toUpperCase() : value;
}

describe('writes by criteria on PostgreSQL', () => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;
  const written = () => rig.queries().filter((sql) => /SELECT|UPDATE|DELETE/.test(sql));
  const parcels = (...rows: object[]) =>
    manager()
      .createQueryBuilder()
      .insert()
      .into(Parcel)
      .values(rows)
      .callListeners(false)
      .execute();

  /** Resolves when a statement waits for the lock of another transaction. */
  const someoneWaits = () =>
    vi.waitFor(async () => {
      const waiting: unknown[] = await rig.dataSource.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(waiting).toHaveLength(1);
    });

  beforeAll(async () => {
    rig = await openCaptureApp('postgres', [Parcel]);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    await manager().createQueryBuilder().delete().from(Parcel).callListeners(false).execute();
    rig.received();
    rig.queries();
  });

  it('makes rows of what was deleted as a read would', async () => {
    const sentAt = new Date('2026-01-02T03:04:05.678Z');
    await parcels(
      { id: 1, place: 'A1', sentAt, labels: ['glass'] },
      { id: 2, place: 'B1', weight: 7 },
    );
    const { raw, affected } = await manager().delete(Parcel, { place: 'a1' });
    expect([raw, affected]).toEqual([[], 1]);
    expect(rig.received()).toEqual([
      `parcel.removed {"id":1,"place":"a1","weight":0,"sentAt":"${sentAt.toISOString()}","labels":["glass"]}`,
    ]);
    rig.queries();
    await manager().delete(Parcel, { id: 2 });
    expect(written()).toEqual([
      expect.stringMatching(/^SELECT.* FOR UPDATE/),
      expect.stringMatching(/^DELETE/),
    ]);
    expect(rig.received()).toEqual([
      'parcel.removed {"id":2,"place":"b1","weight":7,"sentAt":null,"labels":null}',
    ]);
  });

  it('knows the old values of an update by id, expressions included', async () => {
    await parcels({ id: 1, place: 'A1', weight: 2 });
    const { raw, affected, generatedMaps } = await manager().update(
      Parcel,
      { id: 1, weight: 2 },
      { place: 'c1', weight: () => 'weight + 3' },
    );
    expect([raw, affected, generatedMaps]).toEqual([[], 1, []]);
    expect(rig.received()).toEqual([
      'parcel.changed {"place":{"from":"a1","to":"c1"},"weight":{"from":2,"to":5}}',
    ]);
    await manager().update(Parcel, { id: 1, weight: 2 }, { place: 'd1' });
    await manager().update(Parcel, 1, { weight: 5 });
    expect(rig.received()).toEqual([]);
    expect(await manager().findOneBy(Parcel, { id: 1 })).toMatchObject({ place: 'c1', weight: 5 });
  });

  it('tells what another transaction has committed while the write waited as old', async () => {
    await parcels({ id: 1, place: 'A1' }, { id: 2, place: 'A2' });
    const other = rig.dataSource.createQueryRunner();
    for (const write of [
      () => manager().update(Parcel, { id: 1 }, { weight: 9 }),
      () => manager().delete(Parcel, { weight: 0 }),
    ]) {
      await other.startTransaction();
      await other.query(`UPDATE parcels SET weight = weight + 1 WHERE parcel_no = 1`);
      await other.query(`UPDATE parcels SET shelf = 'Z9' WHERE parcel_no = 2`);
      const written = write();
      await someoneWaits();
      await other.commitTransaction();
      await written;
    }
    await other.release();
    expect(rig.received()).toEqual([
      'parcel.changed {"weight":{"from":1,"to":9}}',
      'parcel.removed {"id":2,"place":"z9","weight":0,"sentAt":null,"labels":null}',
    ]);
  });

  it('counts what a hook of the application sets besides', async () => {
    await parcels({ id: 1, place: 'A1' });
    const hook: EntitySubscriberInterface<ObjectLiteral> = {
      listenTo: () => Parcel,
      beforeUpdate: ({ entity }: UpdateEvent<ObjectLiteral>) => void (entity!['place'] = 'h1'),
    };
    rig.dataSource.subscribers.push(hook);
    await manager().update(Parcel, { id: 1 }, { weight: 4 });
    rig.dataSource.subscribers.splice(rig.dataSource.subscribers.indexOf(hook), 1);
    expect(rig.received()).toEqual([
      'parcel.changed {"place":{"from":"a1","to":"h1"},"weight":{"from":0,"to":4}}',
    ]);
  });

  it('leaves RETURNING to the application that asks for it', async () => {
    await parcels({ id: 1, place: 'A1' }, { id: 2, place: 'A2' });
    const builder = () => manager().createQueryBuilder();
    const deleted = await builder()
      .delete()
      .from(Parcel)
      .where({ id: 1 })
      .returning('parcel_no')
      .execute();
    const updated = await builder()
      .update(Parcel)
      .set({ weight: 3 })
      .where({ id: 2 })
      .returning(['id'])
      .execute();
    expect([deleted.raw, updated.raw]).toEqual([[{ parcel_no: 1 }], [{ parcel_no: 2 }]]);
    expect(rig.received()).toEqual([
      'parcel.removed {"id":1,"place":"a1","weight":0,"sentAt":null,"labels":null}',
      'parcel.changed {"weight":{"from":0,"to":3}}',
    ]);
  });

  it('refuses a deletion of too many rows before it is made', async () => {
    await parcels(...[1, 2, 3, 4].map((id) => ({ id, place: 'A1' })));
    await expect(manager().delete(Parcel, { place: 'a1' })).rejects.toThrow(/more than 3 rows/);
    expect(await manager().count(Parcel)).toBe(4);
    expect(rig.received()).toEqual([]);
  });

  it('counts by the whole condition, whatever its form', async () => {
    await parcels(...[1, 2, 3, 4, 5].map((id) => ({ id, place: `P${id}`, weight: id })));
    const deletion = () => manager().createQueryBuilder().delete().from(Parcel);
    await expect(deletion().execute()).rejects.toThrow(/more than 3 rows/);
    await expect(
      deletion()
        .where('weight < :most', { most: 3 })
        .orWhere('shelf > :from', { from: 'P3' })
        .execute(),
    ).rejects.toThrow(/more than 3 rows/);
    expect(await manager().count(Parcel)).toBe(5);
    const some = deletion().where('weight = :least', { least: 1 }).orWhere({ place: 'p5' });
    expect(await some.execute()).toMatchObject({ affected: 2 });
    expect(await some.execute()).toMatchObject({ affected: 0 });
    expect(some.getQuery()).not.toMatch(/thorn/);
    expect(rig.received().map((line) => line.slice(0, 22))).toEqual([
      'parcel.removed {"id":1',
      'parcel.removed {"id":5',
    ]);
    expect(await deletion().execute()).toMatchObject({ affected: 3 });
  });

  it('runs a query builder twice', async () => {
    await parcels({ id: 1, place: 'A1' });
    const update = manager().createQueryBuilder().update(Parcel).where({ id: 1 });
    await update.set({ weight: 3 }).execute();
    await update.set({ weight: 4 }).execute();
    expect(rig.received()).toEqual([
      'parcel.changed {"weight":{"from":0,"to":3}}',
      'parcel.changed {"weight":{"from":3,"to":4}}',
    ]);
    expect(update.getQuery()).not.toMatch(/thorn/);
  });

  it('says that a statement fails for a column that events need', async () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await parcels({ id: 1, place: 'A1' });
    await expect(
      manager().update(Parcel, { id: 1 }, { weight: () => 'weight / 0' }),
    ).rejects.toThrow(/zero/);
    expect(error).not.toHaveBeenCalled();
    await rig.dataSource.query('ALTER TABLE parcels RENAME labels TO marks');
    await expect(manager().update(Parcel, { id: 1 }, { weight: 3 })).rejects.toThrow(/labels/);
    await rig.dataSource.query('ALTER TABLE parcels RENAME marks TO labels');
    expect(String(error.mock.calls[0])).toMatch(/^Parcel: update is not made, .*labels/);
    error.mockRestore();
  });
});
