import fc from 'fast-check';
import {
  Column,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  In,
  MoreThan,
  PrimaryColumn,
} from 'typeorm';
import { afterAll, beforeAll, expect, describe, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';

@Entity()
@Webhooks<Item>({ payload: ({ id, value, name }) => ({ id, value, name }) })
@WebhookEvent<Item>('item.created', { on: 'create' })
@WebhookEvent<Item>('item.changed', { on: 'change' })
// What a removed row was like, its own transaction may have made so: only its id is compared.
@WebhookEvent<Item>('item.removed', { on: 'delete', payload: ({ id }) => ({ id }) })
class Item {
  @PrimaryColumn() id!: number;
  @Column({ unique: true }) name!: string;
  @Column({ default: 0 }) value!: number;
  @DeleteDateColumn() deletedAt!: Date | null;
}

/** Every way to write, with the rows and the value to write. */
const WRITES: Readonly<
  Record<string, (manager: EntityManager, ids: number[], value: number) => Promise<unknown>>
> = {
  save: (manager, ids, value) =>
    manager.save(
      Item,
      ids.map((id) => ({ id, name: `n${id}`, value })),
    ),
  saveIn: async (manager, ids, value) => {
    await manager.insert(Item, await missing(manager, ids, value));
  },
  remove: async (manager, ids) => manager.remove(await manager.findBy(Item, { id: In(ids) })),
  softRemove: async (manager, ids) =>
    manager.softRemove(await manager.findBy(Item, { id: In(ids) })),
  update: (manager, ids, value) => manager.update(Item, ids, { value }),
  updateWhere: (manager, _, value) => manager.update(Item, { value: MoreThan(value) }, { value }),
  updateAll: (manager, _, value) =>
    manager
      .createQueryBuilder()
      .update(Item)
      .set({ value: () => `value + ${value}` })
      .execute(),
  increment: (manager, ids, value) => manager.increment(Item, { id: In(ids) }, 'value', value - 1),
  delete: (manager, ids) => manager.delete(Item, ids),
  deleteWhere: (manager, _, value) => manager.delete(Item, [{ value }, { name: 'n1' }]),
  softDelete: (manager, ids) => manager.softDelete(Item, { id: In(ids) }),
  restore: (manager, ids) => manager.restore(Item, ids),
  upsert: (manager, ids, value) =>
    manager.upsert(
      Item,
      ids.map((id) => ({ id, name: `n${id}`, value })),
      ['id'],
    ),
  upsertByName: (manager, ids, value) =>
    manager.upsert(
      Item,
      ids.map((id) => ({ id, name: `n${id}`, value })),
      ['name'],
    ),
  orIgnore: (manager, ids, value) =>
    manager
      .createQueryBuilder()
      .insert()
      .into(Item)
      .values(ids.map((id) => ({ id, name: `n${id}`, value })))
      .orIgnore()
      .execute(),
};

async function missing(manager: EntityManager, ids: readonly number[], value: number) {
  const there = await manager.find(Item, { where: { id: In([...ids]) }, withDeleted: true });
  return ids
    .filter((id) => there.every((row) => row.id !== id))
    .map((id) => ({ id, name: `n${id}`, value }));
}

type Step =
  | { readonly write: string; readonly ids: number[]; readonly value: number }
  | { readonly steps: readonly Step[]; readonly commits: boolean };

const step = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { depthSize: 'small' },
    {
      weight: 3,
      arbitrary: fc.record({
        write: fc.constantFrom(...Object.keys(WRITES)),
        ids: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
        value: fc.integer({ min: 0, max: 2 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        steps: fc.array(tie('step'), { maxLength: 5 }),
        commits: fc.boolean(),
      }),
    },
  ),
})).step;

class RolledBack extends Error {}

async function play(manager: EntityManager, step: Step): Promise<void> {
  if ('write' in step) {
    await WRITES[step.write]!(manager, step.ids, step.value);
    return;
  }
  await manager
    .transaction(async (inner) => {
      for (const part of step.steps) await play(inner, part);
      if (!step.commits) throw new RolledBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });
}

/** What a reader outside sees differ between two moments. */
function difference(before: readonly Item[], after: readonly Item[]): string[] {
  const texts: string[] = [];
  for (const id of [1, 2, 3, 4]) {
    const [old, now] = [before, after].map((rows) => rows.find((row) => row.id === id));
    const [wasSeen, isSeen] = [old, now].map((row) => row?.deletedAt === null);
    const data = JSON.stringify({ id, value: now?.value, name: now?.name });
    if (wasSeen && !isSeen) texts.push(`item.removed {"id":${id}}`);
    else if (!wasSeen && isSeen) texts.push(`item.created ${data}`);
    else if (wasSeen && old!.value !== now!.value) texts.push(`item.changed ${data}`);
  }
  return texts.sort();
}

describe.each(CAPTURE_DATABASES)('random programs of writes on %s', (kind) => {
  let rig: CaptureApp;
  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Item]);
  });
  afterAll(() => rig.close());

  it('send exactly what the table shows changed', async () => {
    const { manager } = rig.dataSource;
    const rows = () => manager.find(Item, { withDeleted: true });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
        for (const one of steps) {
          const before = await rows();
          rig.received();
          await play(manager, one);
          expect(rig.received().sort()).toEqual(difference(before, await rows()));
        }
      }),
      { seed: 20_261_125, numRuns: kind === 'sqlite' ? 300 : 100 },
    );
  });
});
