import {
  Column,
  type DataSource,
  Entity,
  PrimaryColumn,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EntityCapture, WebhookEvent } from '../../lib/capture/index.js';
import { SystemClock } from '../../lib/common/clock.js';
import { MessagePipeline } from '../../lib/dispatch/index.js';
import { type CaptureApp, MemoryStrategy, openCaptureApp } from '../support/apps/capture-app.js';

const SERVERS = ['its own version', 'a version before 18'];

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

/** Its updates have no RETURNING by TypeORM itself. */
@Entity('boxes')
@WebhookEvent<Box>('box.changed', { on: 'change', payload: (_, { changes }) => changes })
class Box {
  @PrimaryColumn() id!: number;
  @Column({ type: 'int', default: 0 }) load!: number;
}

describe.each(SERVERS)('saves on PostgreSQL whose updates answer their rows, of %s', (server) => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;
  const written = () => rig.queries().filter((sql) => !/^(START|COMMIT|ROLLBACK)/.test(sql));
  const found = () => manager().findOneByOrFail(Crate, { id: 1 });

  beforeAll(async () => {
    rig = await openCaptureApp('postgres', [Crate, Box]);
    if (server !== SERVERS[0]) olden(rig.dataSource);
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

  it('need no statement besides that of TypeORM, which fills the entity as ever', async () => {
    const saved = await manager().save(await found(), {});
    expect(rig.received()).toEqual([]);
    rig.queries();
    const row = await manager().save(Object.assign(saved, { load: 9 }));
    const [read, update, ...others] = written();
    expect([read, others]).toEqual([expect.stringMatching(/^SELECT/), []]);
    expect(update).toMatch(/^UPDATE .* RETURNING .*"at", "version"/);
    const { version = '' } = rig.dataSource.driver as { readonly version?: string };
    expect(/WITH \(OLD /.test(update!)).toBe(Number.parseInt(version, 10) >= 18);
    const { secret, ...visible } = await found();
    expect(secret).toBeUndefined();
    expect(row).toEqual(visible);
    expect(row.version).toBe(2);
    expect(rig.received()).toEqual([
      `crate.changed ${JSON.stringify(visible)}`,
      'crate.full {"was":"a","load":{"from":0,"to":9}}',
    ]);
  });

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

  it('send nothing of a row that a trigger keeps as it is', async () => {
    await manager().query(
      `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    );
    await manager().query(
      'CREATE TRIGGER keep BEFORE UPDATE ON crates FOR EACH ROW EXECUTE FUNCTION keep()',
    );
    rig.queries();
    await manager().save(Crate, { id: 1, load: 9 });
    expect(written()).toHaveLength(2);
    await manager().query('DROP FUNCTION keep CASCADE');
    expect(await found()).toMatchObject({ load: 0 });
    expect(rig.received()).toEqual([]);
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

  it('answer nothing while nobody would get their events', async () => {
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
    const second = new EntityCapture(rig.dataSource, {
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

  it('are read before where a rule of the table does something else', async () => {
    await manager().query(
      `CREATE RULE most AS ON UPDATE TO boxes WHERE NEW.load > 5 DO INSTEAD NOTHING`,
    );
    await manager().insert(Box, { id: 1 });
    await manager().save(Box, { id: 1, load: 4 });
    await manager().save(Box, { id: 1, load: 5 });
    expect(await manager().findOneBy(Box, { id: 1 })).toEqual({ id: 1, load: 5 });
    expect(rig.received()).toEqual([
      'box.changed {"load":{"from":0,"to":4}}',
      'box.changed {"load":{"from":4,"to":5}}',
    ]);
  });
});

/** Lets TypeORM believe that a server is of an older version. */
function olden({ driver }: DataSource): void {
  (driver as { version?: string }).version = '17.5';
}
