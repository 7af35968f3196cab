import {
  Column,
  Entity,
  type EntityManager,
  Index,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type QueryRunner,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { isWaiting } from '../support/apps/lock-waits.js';

@Entity()
@Webhooks<Seat>({ payload: ({ id, guest }) => `${id} ${guest}` })
@WebhookEvent<Seat>('created', { on: 'create' })
@WebhookEvent<Seat>('changed', { on: 'change' })
@WebhookEvent<Seat>('removed', { on: 'delete' })
class Seat {
  @PrimaryColumn() id!: number;
  @Column({ type: 'varchar', length: 9, default: 'nobody' }) guest!: string;
}

@Entity()
@Webhooks<Ticket>({ payload: ({ code, isOpen }) => `${code} ${isOpen}` })
@WebhookEvent<Ticket>('ticket.created', { on: 'create' })
@WebhookEvent<Ticket>('ticket.changed', { on: 'change' })
@Index(['code'], { unique: true, where: '"isOpen"' })
class Ticket {
  @PrimaryGeneratedColumn() id!: number;
  @Column() code!: string;
  @Column({ default: true }) isOpen!: boolean;
}

const ENTITIES = [Seat, Ticket];

const ignoring = (manager: EntityManager, values: object | object[]) =>
  manager.createQueryBuilder().insert().into<object>(Seat).values(values).orIgnore().execute();

describe.each(CAPTURE_DATABASES)('a write whose hooks tell too much, on %s', (kind) => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, ENTITIES);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    for (const entity of ENTITIES) {
      await manager().createQueryBuilder().delete().from(entity).callListeners(false).execute();
    }
    await manager()
      .createQueryBuilder()
      .insert()
      .into(Seat)
      .values({ id: 1 })
      .callListeners(false)
      .execute();
    rig.received();
  });

  it('sends nothing of one object that two orIgnore() skip at once', async () => {
    const values = { id: 1, guest: 'Ada' };
    const { subscribers } = rig.dataSource;
    let begun = 0;
    let both: readonly Promise<unknown>[] = [];
    const hooks = {
      // The second to begin is being made when the first begins, and when that has ended. Elsewhere they take turns.
      beforeInsert: async () => {
        begun += 1;
        if (kind !== 'postgres') return;
        if (begun === 2) await Promise.race(both);
        else await vi.waitUntil(() => begun === 2, { interval: 3, timeout: 20_000 });
      },
    };
    subscribers.push(hooks);
    try {
      both = [ignoring(manager(), values), ignoring(manager(), values)];
      await Promise.all(both);
    } finally {
      subscribers.splice(subscribers.indexOf(hooks), 1);
    }
    expect(begun).toBe(2);
    expect(rig.received()).toEqual([]);
    expect(await manager().find(Seat)).toEqual([{ id: 1, guest: 'nobody' }]);
  });

  it('sends nothing of a row that an uncaptured upsert() puts back', async () => {
    const lax = await openCaptureApp(kind, [Seat], { bulk: 'warn' });
    try {
      await lax.dataSource.manager.save(Seat, { id: 1 });
      lax.received();
      await lax.dataSource.transaction(async (inner) => {
        await inner.remove(await inner.findOneByOrFail(Seat, { id: 1 }));
        await inner.upsert(Seat, { id: 1, guest: 'Ada' }, ['id']);
      });
      expect(await lax.dataSource.manager.find(Seat)).toHaveLength(1);
      expect(lax.received()).toEqual([]);
      await lax.dataSource.transaction(async (inner) => {
        await inner.remove(await inner.findOneByOrFail(Seat, { id: 1 }));
        await inner.upsert(Seat, { id: 2 }, ['id']);
      });
      expect(lax.received()).toEqual(['removed "1 Ada"']);
    } finally {
      await lax.close();
    }
  });

  it('refuses a remove() whose row a trigger keeps', async () => {
    if (kind !== 'postgres') return;
    await rig.dataSource.query(
      'CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
    );
    await rig.dataSource.query(
      'CREATE TRIGGER keep BEFORE DELETE ON seat FOR EACH ROW WHEN (OLD.id = 1) EXECUTE FUNCTION keep()',
    );
    try {
      await manager().save(Seat, [{ id: 2 }, { id: 3 }]);
      rig.received();
      const [one, two, three] = await manager().find(Seat, { order: { id: 'ASC' } });
      const refused = {
        code: 'THORN_BULK_WRITE',
        message: expect.stringMatching(/^Seat: remove matched 2 row\(s\) and changed 1,.* trigger/),
      };
      await expect(manager().remove([one!, two!])).rejects.toMatchObject(refused);
      expect(await manager().count(Seat)).toBe(3);
      expect(rig.received()).toEqual([]);
      await manager().remove(three!);
      expect(rig.received()).toEqual(['removed "3 nobody"']);
    } finally {
      await rig.dataSource.query('DROP TRIGGER keep ON seat');
    }
  });

  it('sends what is left of savepoints that end at once', async () => {
    if (kind !== 'postgres') return;
    const runner = rig.dataSource.createQueryRunner();
    for (const id of [2, 3, 4]) {
      await runner.startTransaction();
      await runner.manager.insert(Seat, { id });
    }
    await Promise.all([runner.rollbackTransaction(), runner.commitTransaction()]);
    await runner.commitTransaction();
    await runner.release();
    const stored = await manager().find(Seat, { order: { id: 'ASC' } });
    expect(stored.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(rig.received()).toEqual(['created "2 nobody"', 'created "3 nobody"']);
  });

  if (kind === 'mariadb') return;
  it('tells of a row that only a partial index lets in', async () => {
    await manager().insert(Ticket, { code: 'a', isOpen: false });
    rig.received();
    const values = () => [{ code: 'a' }, { code: 'b' }];
    const insert = () => manager().createQueryBuilder().insert().into(Ticket).values(values());
    await insert().orIgnore().execute();
    expect(rig.received().sort()).toEqual(['ticket.created "a true"', 'ticket.created "b true"']);
    await insert().orIgnore().execute();
    expect(rig.received()).toEqual([]);
    expect(await manager().count(Ticket)).toBe(3);
  });
});

describe('an insert that may skip rows, in READ COMMITTED on MariaDB', () => {
  let rig: CaptureApp;
  beforeAll(async () => {
    rig = await openCaptureApp('mariadb', ENTITIES);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    const all = rig.dataSource.createQueryBuilder().delete().from(Seat);
    await all.callListeners(false).execute();
    rig.received();
  });

  type Work = (manager: EntityManager) => Promise<unknown>;
  /** Another transaction, which has inserted the row 1. */
  const inserting = async (): Promise<QueryRunner> => {
    const other = rig.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.manager.insert(Seat, { id: 1, guest: 'other' });
    return other;
  };
  const commit = async (other: QueryRunner): Promise<void> => {
    await other.commitTransaction();
    await other.release();
  };
  /** Does some work that waits for another transaction which has inserted the row 1. */
  const whileInserting = async (work: Work): Promise<unknown> => {
    const other = await inserting();
    const working = rig.dataSource.transaction('READ COMMITTED', work);
    await vi.waitUntil(() => isWaiting(rig.dataSource), { interval: 3, timeout: 20_000 });
    await commit(other);
    return working;
  };
  /** Does some work, and lets another transaction insert the row 1 after the insert has looked for it. */
  const insertedMeanwhile = async (work: Work): Promise<unknown> => {
    const { subscribers } = rig.dataSource;
    let isFirst = true;
    const hooks = {
      beforeInsert: async () => {
        if (!isFirst) return;
        isFirst = false;
        await commit(await inserting());
      },
    };
    subscribers.push(hooks);
    const working = rig.dataSource.transaction('READ COMMITTED', work);
    return working.finally(() => subscribers.splice(subscribers.indexOf(hooks), 1));
  };
  const stored = async () =>
    (await rig.dataSource.manager.find(Seat, { order: { id: 'ASC' } })).map(({ id }) => id);

  const two: Work = (manager) => ignoring(manager, [{ id: 1 }, { id: 2 }]);
  const deleted: Work = async (manager) => {
    await manager.upsert(Seat, { id: 1, guest: 'Ada' }, ['id']);
    await manager.delete(Seat, { id: 1 });
  };

  it('tells one of two rows as created when it has waited for the other', async () => {
    await whileInserting(two);
    expect(await stored()).toEqual([1, 2]);
    expect(rig.received().sort()).toEqual(['created "1 other"', 'created "2 nobody"']);
  });

  it('is refused when another transaction has inserted one of two rows meanwhile', async () => {
    await expect(insertedMeanwhile(two)).rejects.toMatchObject({ code: 'THORN_WRITE_UNCLEAR' });
    expect(await stored()).toEqual([1]);
    expect(rig.received()).toEqual(['created "1 other"']);
  });

  it('tells the row of another transaction as removed when it deletes it later', async () => {
    await whileInserting(deleted);
    expect(await stored()).toEqual([]);
    expect(rig.received()).toEqual(['created "1 other"', 'removed "1 Ada"']);
  });

  it('is refused when it would delete the row that another transaction has inserted meanwhile', async () => {
    await expect(insertedMeanwhile(deleted)).rejects.toMatchObject({ code: 'THORN_WRITE_UNCLEAR' });
    expect(await stored()).toEqual([1]);
    expect(rig.received()).toEqual(['created "1 other"']);
  });
});
