import {
  Column,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  ManyToOne,
  PrimaryColumn,
  Raw,
  type Relation,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';

@Entity()
@Webhooks<Ticket>({ payload: ({ id }) => id })
@WebhookEvent<Ticket>('changed', { on: 'change' })
@WebhookEvent<Ticket>('removed', { on: 'delete' })
class Ticket {
  @PrimaryColumn() id!: number;
  @Column({ default: 0 }) drawn!: number;
  @Column({ default: 0 }) rank!: number;
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
@Webhooks<Seat>({ payload: ({ row, no }) => [row, no] })
@WebhookEvent<Seat>('seat.changed', { on: 'change' })
class Seat {
  @PrimaryColumn() row!: number;
  @PrimaryColumn() no!: number;
  @Column({ default: 0 }) drawn!: number;
}

@Entity()
@Webhooks<Branch>({ payload: ({ id }) => id })
@WebhookEvent<Branch>('branch.removed', { on: 'delete' })
class Branch {
  @PrimaryColumn() id!: number;
  @Column({ default: 'a' }) name!: string;
  @ManyToOne(() => Branch, { nullable: true, onDelete: 'CASCADE' })
  parent!: Relation<Branch> | null;
}

const IDS = Array.from({ length: 40 }, (_, index) => index + 1);

describe.each(CAPTURE_DATABASES)('criteria that match other rows each time, on %s', (kind) => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;
  const HALF =
    kind === 'mariadb' ? 'RAND() < 0.5' : kind === 'sqlite' ? 'random() < 0' : 'random() < 0.5';
  const fill = (inner: EntityManager, entity: typeof Ticket | typeof Seat, rows: object[]) =>
    inner
      .createQueryBuilder()
      .insert()
      .into<object>(entity)
      .values(rows)
      .callListeners(false)
      .execute();

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Ticket, Seat, Branch]);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    for (const entity of [Ticket, Seat]) {
      await manager().createQueryBuilder().delete().from(entity).callListeners(false).execute();
    }
    await fill(
      manager(),
      Ticket,
      IDS.map((id) => ({ id })),
    );
    await fill(
      manager(),
      Seat,
      IDS.map((no) => ({ row: no % 3, no })),
    );
    rig.received();
  });

  const ids = async (where: object) =>
    (await manager().find(Ticket, { where, withDeleted: true, order: { id: 'ASC' } })).map(
      ({ id }) => id,
    );
  const told = (name: string) =>
    rig
      .received()
      .map((line) => line.replace(`${name} `, ''))
      .map(Number)
      .sort((one, other) => one - other);

  it('removes rows that the database removes with others', async () => {
    await manager().insert(Branch, [{ id: 1 }, { id: 2, parent: { id: 1 } }]);
    rig.received();
    await manager().createQueryBuilder().delete().from(Branch).where("LOWER(name) = 'a'").execute();
    expect(rig.received().sort()).toEqual(['branch.removed 1', 'branch.removed 2']);
    expect(await manager().count(Branch)).toBe(0);
  });

  it('tells of a deletion exactly the rows that went', async () => {
    await manager().createQueryBuilder().delete().from(Ticket).where(HALF).execute();
    const left = await ids({});
    expect(told('removed')).toEqual(IDS.filter((id) => !left.includes(id)));
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(IDS.length);
  });

  it('tells of an update exactly the rows that it has changed', async () => {
    await manager()
      .createQueryBuilder()
      .update(Ticket)
      .set({ drawn: 1 })
      .where('id > 0')
      .andWhere(HALF)
      .execute();
    expect(told('changed')).toEqual(await ids({ drawn: 1 }));
    await manager().update(Ticket, { rank: Raw((name) => `${name} = 0 AND ${HALF}`) }, { rank: 1 });
    expect(told('changed')).toEqual(await ids({ rank: 1 }));
  });

  it('tells of rows with a composite key exactly those that it has changed', async () => {
    await manager().createQueryBuilder().update(Seat).set({ drawn: 1 }).where(HALF).execute();
    const drawn = await manager().findBy(Seat, { drawn: 1 });
    expect(rig.received().sort()).toEqual(
      drawn.map(({ row, no }) => `seat.changed ${JSON.stringify([row, no])}`).sort(),
    );
  });

  it('hits the rows that it has read, in an order by chance and without one', async () => {
    if (kind !== 'mariadb') return;
    await manager()
      .createQueryBuilder()
      .update(Ticket)
      .set({ drawn: 1 })
      .orderBy('RAND()')
      .limit(3)
      .execute();
    const drawn = await ids({ drawn: 1 });
    expect(drawn).toHaveLength(3);
    expect(told('changed')).toEqual(drawn);
    await manager()
      .createQueryBuilder()
      .softDelete()
      .from(Ticket)
      .orderBy('RAND()')
      .limit(3)
      .execute();
    const removed = told('removed');
    expect(removed).toHaveLength(3);
    expect(await manager().countBy(Ticket, {})).toBe(37);
    expect((await manager().find(Ticket)).some(({ id }) => removed.includes(id))).toBe(false);
  });

  it('names the rows that were read, in place of the condition', async () => {
    rig.queries();
    await manager().update(Ticket, { rank: 0 }, { drawn: 2 });
    const write = rig.queries().find((sql) => sql.startsWith('UPDATE'));
    expect(write).toContain(kind === 'postgres' ? 'ANY(' : ' IN ');
    expect(write).not.toContain('rank');
  });
});
