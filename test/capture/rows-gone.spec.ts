import { Logger } from '@nestjs/common';
import {
  Column,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  In,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';

@Entity()
class Shelf {
  @PrimaryColumn() id!: number;
}

abstract class Thing {
  @PrimaryColumn() id!: number;
  @Column() name!: string;
  @Column({ default: 0 }) place!: number;
  @ManyToOne(() => Shelf, { nullable: true, onDelete: 'CASCADE' }) shelf!: Shelf | null;
  @ManyToMany(() => Shelf)
  @JoinTable()
  seenOn!: Shelf[];
  @DeleteDateColumn() deletedAt!: Date | null;
}

/** Has no event of its removal, and no event needs its row. */
@Entity()
@WebhookEvent<Bare>('thing.created', { on: 'create' })
@WebhookEvent<Bare>('thing.changed', { on: 'change' })
@WebhookEvent<Bare>('thing.seen', { on: { added: 'seenOn' } })
class Bare extends Thing {}

@Entity()
@Webhooks<Shown>({ payload: ({ name }) => name })
@WebhookEvent<Shown>('thing.created', { on: 'create' })
@WebhookEvent<Shown>('thing.changed', { on: 'change' })
@WebhookEvent<Shown>('thing.seen', { on: { added: 'seenOn' } })
class Shown extends Thing {}

@Entity()
@Webhooks<Warned>({ bulk: 'warn' })
@WebhookEvent<Warned>('thing.created', { on: 'create' })
@WebhookEvent<Warned>('thing.changed', { on: 'change' })
@WebhookEvent<Warned>('thing.removed', { on: 'delete' })
@WebhookEvent<Warned>('thing.seen', { on: { added: 'seenOn' } })
class Warned extends Thing {}

@Entity()
@Webhooks<Many>({ bulkLimit: 1, bulkOverflow: 'warn', payload: ({ name }) => name })
@WebhookEvent<Many>('thing.created', { on: 'create' })
@WebhookEvent<Many>('thing.changed', { on: 'change' })
@WebhookEvent<Many>('thing.removed', { on: 'delete' })
@WebhookEvent<Many>('thing.seen', { on: { added: 'seenOn' } })
class Many extends Thing {}

/** Are told of a soft removal as of any other change. */
@Entity()
@Webhooks<Deaf>({ bulk: 'warn' })
@WebhookEvent<Deaf>('deaf.created', { on: 'create', softRemoval: false })
@WebhookEvent<Deaf>('deaf.changed', { on: 'change', softRemoval: false })
class Deaf extends Thing {}

const both = In([1, 2]);
const ENTITIES = [Bare, Shown, Warned, Many] as const;
type AnyThing = (typeof ENTITIES)[number];

/** Each removes the rows 1 and 2, or some more; none of them is told of which. */
const REMOVALS: readonly [string, (manager: EntityManager, of: AnyThing) => Promise<unknown>][] = [
  ['delete()', (manager, of) => manager.delete(of, { id: both })],
  [
    "a query builder's delete with a raw condition",
    (manager, of) => manager.createQueryBuilder().delete().from(of).where('place < 9').execute(),
  ],
  ['softDelete()', (manager, of) => manager.softDelete(of, { id: both })],
  ['SQL by hand', (manager, of) => manager.query(`DELETE FROM ${of.name.toLowerCase()}`)],
  ['a cascade of the database', (manager) => manager.delete(Shelf, { id: 1 })],
];

describe.each(CAPTURE_DATABASES)('rows that are gone at the commit, on %s', (kind) => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;
  const shelf = { id: 1 };

  beforeAll(async () => {
    vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    rig = await openCaptureApp(kind, [Shelf, ...ENTITIES, Deaf]);
  });
  afterAll(async () => {
    await rig.close();
    vi.restoreAllMocks();
  });
  beforeEach(async () => {
    await manager().query(`DELETE FROM shelf`);
    for (const of of [...ENTITIES, Deaf]) {
      await manager().query(`DELETE FROM ${of.name.toLowerCase()}`);
    }
    await manager().save(Shelf, [{ id: 1 }, { id: 2 }]);
  });

  const stored = async (of: new () => Thing, count = 3) => {
    const rows = Array.from({ length: count }, (_, index) => ({
      ...{ id: index + 1, name: `${index + 1}` },
      shelf: index < 2 ? shelf : null,
    }));
    await manager().save(of, rows);
    rig.received();
  };

  describe.each(REMOVALS)('by %s', (_, remove) => {
    it.each(ENTITIES)('send nothing of what was done to them: %o', async (of) => {
      await stored(of);
      await rig.dataSource.transaction(async (inner) => {
        await inner.save(of, { id: 1, name: 'changed' });
        await inner.update(of, { id: 1 }, { name: 'again' });
        await inner.save(of, { id: 2, seenOn: [{ id: 2 }] });
        await remove(inner, of);
      });
      expect(rig.received().filter((event) => !event.startsWith('thing.removed'))).toEqual([]);
    });

    it.each(ENTITIES)('send nothing when they are created and removed within: %o', async (of) => {
      await rig.dataSource.transaction(async (inner) => {
        await inner.save(of, { id: 1, name: 'new', shelf });
        await inner.insert(of, { id: 2, name: 'new', shelf });
        await remove(inner, of);
      });
      expect(rig.received()).toEqual([]);
    });

    it.each(ENTITIES)('count as there when the removal is rolled back: %o', async (of) => {
      await stored(of);
      await rig.dataSource.transaction(async (outer) => {
        await outer.save(of, { id: 1, name: 'changed' });
        const inner = outer.transaction(async (savepoint) => {
          await remove(savepoint, of);
          throw new Error('no');
        });
        await expect(inner).rejects.toThrow('no');
        await outer.save(of, { id: 3, name: 'changed' });
      });
      const data = of === Bare || of === Warned ? '{}' : '"changed"';
      expect(rig.received()).toEqual([`thing.changed ${data}`, `thing.changed ${data}`]);
    });
  });

  it.each([Bare, Shown])('are read again once, and no others: %o', async (of) => {
    await stored(of);
    rig.queries();
    await rig.dataSource.transaction(async (inner) => {
      await inner.update(of, { id: 1 }, { name: 'changed' });
      await inner.delete(of, { id: 1 });
    });
    const name = of.name.toLowerCase();
    const reads = rig.queries().filter((sql) => sql.startsWith('SELECT') && sql.includes(name));
    expect(reads).toHaveLength(2);
    expect(rig.received()).toEqual([]);
  });

  it('are looked for unless they were inserted and nothing else was done', async () => {
    await stored(Bare);
    rig.queries();
    const reads = () => rig.queries().filter((sql) => /^SELECT.*bare/.test(sql));
    await manager().insert(Bare, { id: 9, name: 'new' });
    // TypeORM's own, of the default of a column.
    expect(reads()).toHaveLength(kind === 'sqlite' ? 1 : 0);
    expect(rig.received()).toEqual(['thing.created {}']);
    await rig.dataSource.transaction(async (inner) => {
      await inner.save(Bare, { id: 1, name: 'changed' });
      await inner.save(Shelf, { id: 7 });
    });
    // The one that save() makes, that of the row before the change, and the one before the commit.
    expect(reads()).toHaveLength(kind === 'sqlite' ? 2 : 3);
    expect(rig.received()).toEqual(['thing.changed {}']);
  });

  it('are removed, created anew and told of as changed', async () => {
    await stored(Bare);
    await rig.dataSource.transaction(async (inner) => {
      await inner.save(Bare, { id: 1, name: 'changed' });
      await inner.delete(Bare, { id: 1 });
      await inner.insert(Bare, { id: 1, name: 'anew' });
      await inner.softDelete(Bare, { id: 3 });
      await inner.save(Bare, { id: 2, name: 'changed' });
      await inner.softDelete(Bare, { id: 2 });
      await inner.update(Bare, { id: 2 }, { deletedAt: null });
    });
    expect(rig.received()).toEqual(['thing.changed {}', 'thing.changed {}']);
  });

  it('are there for events that ignore soft removal', async () => {
    await stored(Deaf);
    await rig.dataSource.transaction(async (inner) => {
      await inner.save(Deaf, { id: 1, name: 'changed' });
      await inner.softDelete(Deaf, { id: both });
    });
    expect(rig.received()).toEqual(['deaf.changed {}']);
  });

  it('are back when what has removed them softly is undone unseen', async () => {
    await stored(Warned);
    await rig.dataSource.transaction(async (inner) => {
      const row = await inner.findOneByOrFail(Warned, { id: 3 });
      await inner.softRemove(row);
      await inner.restore(Warned, { id: 3 });
    });
    expect(rig.received()).toEqual([]);
  });
});
