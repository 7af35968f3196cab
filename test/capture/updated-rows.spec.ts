import { Column, Entity, ManyToOne, PrimaryColumn, UpdateDateColumn, VersionColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClient } from '../../lib/typeorm/sources/typeorm-sources.js';
import { EntityCapture } from '../../lib/typeorm/hooks/entity-capture.js';
import { WebhookEvent } from '../../lib/capture/index.js';
import { SystemClock } from '../../lib/common/time.js';
import { MessagePipeline } from '../../lib/dispatch/index.js';
import { type CaptureApp, MemoryStrategy, openCaptureApp } from '../support/apps/capture-app.js';

@Entity('crates')
@WebhookEvent<Crate>('crate.changed', { on: 'change', payload: (row) => row })
@WebhookEvent<Crate>('crate.full', {
  on: 'change',
  when: { load: { nowEq: 9 } },
  payload: (_, { before, changes }) => ({ was: before!.place, ...changes }),
})
class Crate {
  @PrimaryColumn({ name: 'crate_no' }) id!: number;
  @Column({ type: 'int', default: 0 }) load!: number;
  @Column({ name: 'shelf', default: 'a' }) place!: string;
  @Column({ default: 'pin', select: false }) secret!: string;
  @UpdateDateColumn({ precision: 3 }) at!: Date;
  @VersionColumn() version!: number;
}

/** Its updates have no RETURNING by TypeORM itself, and the database may make something else of them. */
@Entity('boxes')
@WebhookEvent<Box>('box.changed', { on: 'change', payload: (_, { changes }) => changes })
class Box {
  @PrimaryColumn() id!: number;
  @Column({ type: 'int', default: 0 }) load!: number;
}

@Entity('labels')
@WebhookEvent<Label>('label.changed', { on: 'change', payload: (row) => row })
class Label {
  @PrimaryColumn() id!: number;
  @Column() text!: string;
  @Column({ type: 'int', insert: false, update: false, default: 0 }) times!: number;
}

@Entity('loads')
@WebhookEvent<Load>('load.changed', {
  on: 'change',
  owner: 'box.id',
  payload: (_, { before }) => before,
})
class Load {
  @PrimaryColumn() id!: number;
  @Column() weight!: number;
  @ManyToOne(() => Box, { nullable: true }) box!: Box | null;
}

@Entity('freights')
@WebhookEvent<Freight>('freight.changed', {
  on: 'change',
  owner: 'box.id',
  payload: ({ weight }) => ({ weight }),
})
class Freight {
  @PrimaryColumn() id!: number;
  @Column() weight!: number;
  @ManyToOne(() => Box, { nullable: true }) box!: Box | null;
}

const ENTITIES = [Crate, Box, Label, Load, Freight];

describe('updates by saves on PostgreSQL', () => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;
  const written = () => rig.queries().filter((sql) => !/^(START|COMMIT|ROLLBACK)/.test(sql));

  beforeAll(async () => {
    rig = await openCaptureApp('postgres', ENTITIES);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    await manager().query('DELETE FROM crates');
    await manager().query('INSERT INTO crates(crate_no, version) VALUES (1, 1), (2, 1)');
    rig.received();
    rig.queries();
  });

  /** Lets another transaction write the row of a save between its reading and its writing that. */
  const during = async (sql: string, save: () => Promise<unknown>): Promise<void> => {
    const other = rig.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query(sql);
    const saving = save();
    await vi.waitFor(async () => {
      const waiting: unknown[] = await rig.dataSource.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(waiting).toHaveLength(1);
    });
    await other.commitTransaction();
    await other.release();
    await saving;
  };

  it('tell what others have written meanwhile', async () => {
    await during(`UPDATE crates SET shelf = 'z', load = 5 WHERE crate_no = 1`, () =>
      manager().save(Crate, { id: 1, load: 9 }),
    );
    expect(rig.bodies()).toMatchObject([
      { type: 'crate.changed', data: { id: 1, load: 9, place: 'z' } },
      { type: 'crate.full', data: { load: { from: 5, to: 9 } } },
    ]);
    await during(`UPDATE crates SET load = 9 WHERE crate_no = 2`, () =>
      manager().save(Crate, { id: 2, load: 9 }),
    );
    expect(rig.received().map((line) => line.split(' ')[0])).toEqual([]);
  });

  it('are read again where a trigger may make something else of them', async () => {
    await manager().query(
      `CREATE FUNCTION lowered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.text = '' THEN RETURN NULL; END IF;
         NEW.text := lower(NEW.text); NEW.times := OLD.times + 1; RETURN NEW; END $$`,
    );
    await manager().query(
      'CREATE TRIGGER lowered BEFORE UPDATE ON labels FOR EACH ROW EXECUTE FUNCTION lowered()',
    );
    await manager().save(Label, { id: 1, text: 'a' });
    for (const text of ['A', '', 'B']) await manager().save(Label, { id: 1, text });
    expect(rig.received()).toEqual(['label.changed {"id":1,"text":"b","times":2}']);
  });

  it('tell all changes of a row that is twice in one save, or in two at once', async () => {
    await manager().save(Crate, [
      { id: 1, load: 9 },
      { id: 1, place: 'c' },
    ]);
    await rig.dataSource.transaction((inner) =>
      Promise.all([inner.save(Crate, { id: 2, load: 9 }), inner.save(Crate, { id: 2, load: 9 })]),
    );
    expect(rig.bodies()).toMatchObject([
      { type: 'crate.changed', data: { id: 1, load: 9, place: 'c' } },
      { type: 'crate.full', data: { was: 'a', load: { from: 0, to: 9 } } },
      { type: 'crate.changed', data: { id: 2, load: 9 } },
      { type: 'crate.full', data: { load: { from: 0, to: 9 } } },
    ]);
  });

  it('leave their result to the application that makes them itself', async () => {
    await rig.dataSource.transaction(async ({ queryRunner }) => {
      // They are given the query runner, as those of a save are.
      const own = () => queryRunner!.manager.createQueryBuilder();
      const row = () => Object.assign(new Crate(), { id: 1 });
      const plain = await own()
        .update(Crate)
        .set({ load: 4 })
        .whereEntity(row())
        .callListeners(false)
        .execute();
      const wanted = await own()
        .update(Crate)
        .set({ load: 5 })
        .whereEntity(row())
        .returning('crate_no')
        .callListeners(false)
        .execute();
      expect([plain.raw, wanted.raw]).toEqual([
        [{ at: expect.any(Date) as unknown, version: 2 }],
        [{ crate_no: 1 }],
      ]);
    });
  });

  it('need no transaction, and may leave the entity as it is', async () => {
    await manager().save(Crate, { id: 1, load: 2 }, { transaction: false });
    await manager().save(Crate, { id: 1, load: 3 }, { reload: false });
    expect(rig.bodies()).toMatchObject([
      { data: { load: 2, version: 2 } },
      { data: { load: 3, version: 3 } },
    ]);
  });

  it('tell of the row before the relations that were loaded', async () => {
    await manager().save(Box, [{ id: 2 }, { id: 3 }]);
    const box = { id: 2 };
    await manager().save(Load, { id: 1, weight: 1, box });
    await manager().save(Load, { id: 1, weight: 2, box });
    const data = { id: 1, weight: 1, box };
    expect(rig.bodies()).toMatchObject([{ owner: '2', data }]);
    await during('UPDATE loads SET "boxId" = 3', () =>
      manager().save(Load, { id: 1, weight: 3, box }),
    );
    expect(rig.bodies()).toMatchObject([
      { owner: '3', data: { ...data, weight: 2, box: { id: 3 } } },
    ]);
    await manager().save(Load, { id: 1, weight: 4, box: null });
    expect(rig.bodies()).toMatchObject([{ owner: null, data: { box: { id: 3 } } }]);
    await manager().save(Load, { id: 1, weight: 5, box: null });
    expect(rig.bodies()).toMatchObject([{ owner: null, data: { box: null } }]);
  });

  it('go to the owner that the row has by then', async () => {
    await manager().save(Box, [{ id: 4 }, { id: 5 }]);
    await manager().save(Freight, { id: 1, weight: 1, box: { id: 4 } });
    await during('UPDATE freights SET "boxId" = 5', () =>
      manager().save(Freight, { id: 1, weight: 2, box: { id: 4 } }),
    );
    await during('UPDATE freights SET "boxId" = NULL', () =>
      manager().save(Freight, { id: 1, weight: 3, box: { id: 5 } }),
    );
    expect(rig.bodies()).toMatchObject([
      { owner: '5', data: { weight: 2 } },
      { owner: null, data: { weight: 3 } },
    ]);
  });

  it('tell the rows of one save, and of several in a transaction, each as it was', async () => {
    await manager().save(Crate, [
      { id: 1, load: 3 },
      { id: 2, place: 'b' },
    ]);
    expect(rig.bodies()).toMatchObject([
      { type: 'crate.changed', data: { id: 1, load: 3, place: 'a' } },
      { type: 'crate.changed', data: { id: 2, load: 0, place: 'b' } },
    ]);
    await rig.dataSource.transaction(async (outer) => {
      await outer.save(Crate, { id: 1, load: 4 });
      const inner = outer.transaction(async (savepoint) => {
        await savepoint.save(Crate, { id: 1, place: 'lost' });
        throw new Error('no');
      });
      await expect(inner).rejects.toThrow('no');
      await outer.save(Crate, { id: 1, load: 9 }, { listeners: false });
      await outer.save(Crate, { id: 1, load: 9, place: 'c' });
    });
    expect(rig.bodies()).toMatchObject([
      { type: 'crate.changed', data: { id: 1, load: 9, place: 'c' } },
      { type: 'crate.full', data: { load: { from: 3, to: 9 } } },
    ]);
  });

  it('are read before where a subscriber puts something into rows as they load', async () => {
    const { subscribers } = rig.dataSource;
    subscribers.push({
      listenTo: () => Crate,
      afterLoad: (row: Crate) => void (row.place = row.place.toUpperCase()),
    });
    await during(`UPDATE crates SET load = 5 WHERE crate_no = 1`, () =>
      manager().save(Crate, { id: 1, load: 9 }),
    );
    subscribers.pop();
    expect(rig.bodies()).toMatchObject([
      { type: 'crate.changed', data: { load: 9, place: 'A' } },
      { type: 'crate.full', data: { was: 'A', load: { from: 5, to: 9 } } },
    ]);
  });

  it('read nothing while nobody would get their events', async () => {
    const heard = vi.spyOn(MessagePipeline.prototype, 'isUnheard').mockReturnValue(true);
    await manager().save(Crate, { id: 1, load: 8 });
    heard.mockRestore();
    expect(written()).toEqual([
      expect.stringMatching(/^SELECT/),
      expect.not.stringMatching(/thorn/),
    ]);
    expect(rig.received()).toEqual([]);
  });

  it('are read before for a second capture of the data source', async () => {
    const strategy = new MemoryStrategy();
    const second = new EntityCapture(await createClient(rig.dataSource), {
      messageFactory: rig.factory,
      pipeline: new MessagePipeline(strategy, new SystemClock()),
    });
    second.attach();
    await manager().save(Crate, { id: 1, load: 9 });
    second.detach();
    const names = ['crate.changed', 'crate.full'];
    expect(strategy.released.map(({ event }) => event)).toEqual(names);
    expect(rig.bodies().map(({ type }) => type)).toEqual(names);
  });
});
