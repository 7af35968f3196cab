import { Column, Entity, type LoadEvent, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';

const whole = (row: object): unknown => row;

@Entity()
@WebhookEvent<Phone>('phone.created', { on: 'create', payload: whole })
@WebhookEvent<Phone>('phone.changed', { on: 'change', payload: whole })
class Phone {
  @PrimaryColumn({ type: 'varchar', length: 40 }) digits!: unknown;
  @Column({ default: 0 }) calls!: number;
  @Column({ type: 'varchar', nullable: true, select: false }) pin!: string | null;
}

@Entity()
@WebhookEvent<Seat>('seat.changed', { on: 'change', payload: whole })
class Seat {
  @PrimaryColumn({ name: 'the_row' }) row!: number;
  @PrimaryColumn({
    type: 'varchar',
    length: 8,
    transformer: {
      to: (letter: string) => letter.toLowerCase(),
      from: (letter: string) => letter.toUpperCase(),
    },
  })
  letter!: string;
  @Column({ default: '' }) guest!: string;
}

describe.each(CAPTURE_DATABASES)('a row that is read by its key on %s', (kind) => {
  let rig: CaptureApp;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Phone, Seat]);
  });
  afterAll(() => rig.close());
  beforeEach(() => rig.received());

  it('is found by a number in a column of texts, however large it is', async () => {
    const { manager } = rig.dataSource;
    for (const digits of [12, 4_917_012_345_678]) {
      await manager.transaction(async (inner) => {
        await inner.insert(Phone, { digits });
        // The row may have been changed: it is read again.
        await inner.query('SELECT 1');
      });
      await manager.update(Phone, { digits }, { calls: 1 });
      expect(rig.bodies().map(({ data }) => data)).toEqual(
        [0, 1].map((calls) => ({ digits: String(digits), calls })),
      );
    }
  });

  it('is found by a key of several columns, as their transformers have it', async () => {
    const { manager } = rig.dataSource;
    await manager.insert(Seat, { row: 7, letter: 'A' });
    const all = [
      () => manager.update(Seat, { row: 7, letter: 'A' }, { guest: 'Ann' }),
      () => manager.update(Seat, { row: 7 }, { guest: 'Bob' }),
      () => manager.save(Seat, { row: 7, letter: 'A', guest: 'Cleo' }),
    ];
    for (const write of all) await write();

    expect(rig.bodies().map(({ data }) => data)).toEqual(
      ['Ann', 'Bob', 'Cleo'].map((guest) => ({ row: 7, letter: 'A', guest })),
    );
  });

  it('is as a subscriber of the application makes it when it is loaded', async () => {
    const { manager, subscribers } = rig.dataSource;
    await manager.insert(Phone, { digits: '30' });
    rig.received();
    const own = {
      afterLoad: (entity: object, event?: LoadEvent<object>) => {
        if (event?.metadata.target === Phone) Object.assign(entity, { isLoaded: true });
      },
    };
    subscribers.push(own);
    await manager.update(Phone, { digits: '30' }, { calls: 3 });
    subscribers.splice(subscribers.indexOf(own), 1);
    await manager.update(Phone, { digits: '30' }, { calls: 4 });

    expect(rig.bodies().map(({ data }) => data)).toEqual([
      { digits: '30', calls: 3, isLoaded: true },
      { digits: '30', calls: 4 },
    ]);
  });
});
