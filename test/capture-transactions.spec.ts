import fc from 'fast-check';
import { Column, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../lib/capture/index.js';
import { DATABASES, openRig, type Rig } from './capture-fixtures.js';

@Entity()
@WebhookEvent<Item>('item.created', { on: 'create', payload: ({ id, value }) => ({ id, value }) })
@WebhookEvent<Item>('item.changed', { on: 'change', payload: ({ id, value }) => ({ id, value }) })
@WebhookEvent<Item>('item.removed', { on: 'delete', payload: ({ id, value }) => ({ id, value }) })
class Item {
  @PrimaryColumn() id!: number;
  @Column() value!: number;
}

@Entity()
@WebhookEvent<Strict>('strict.created', {
  on: 'create',
  propagateErrors: true,
  payload: () => {
    throw new Error('payload failed');
  },
})
class Strict {
  @PrimaryColumn() id!: number;
}

@Entity()
@WebhookEvent<Lenient>('lenient.created', {
  on: 'create',
  payload: () => {
    throw new Error('payload failed');
  },
})
class Lenient {
  @PrimaryColumn() id!: number;
}

type Step =
  | { readonly do: 'put'; readonly id: number; readonly value: number }
  | { readonly do: 'remove'; readonly id: number }
  | { readonly do: 'nest'; readonly steps: readonly Step[]; readonly commits: boolean };

const step = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { depthSize: 'small' },
    fc.record({
      do: fc.constant('put' as const),
      id: fc.integer({ min: 1, max: 4 }),
      value: fc.integer({ min: 0, max: 2 }),
    }),
    fc.record({ do: fc.constant('remove' as const), id: fc.integer({ min: 1, max: 4 }) }),
    fc.record({
      do: fc.constant('nest' as const),
      steps: fc.array(tie('step'), { maxLength: 5 }),
      commits: fc.boolean(),
    }),
  ),
})).step;

class RolledBack extends Error {}

async function play(manager: EntityManager, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (step.do === 'put') await manager.save(Item, { id: step.id, value: step.value });
    else if (step.do === 'remove') {
      const item = await manager.findOneBy(Item, { id: step.id });
      if (item !== null) await manager.remove(item);
    } else await transaction(manager, step.steps, step.commits);
  }
}

async function transaction(
  manager: EntityManager,
  steps: readonly Step[],
  commits: boolean,
): Promise<void> {
  await manager
    .transaction(async (inner) => {
      await play(inner, steps);
      if (!commits) throw new RolledBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });
}

/** What a reader outside sees differ between two moments. */
function difference(before: readonly Item[], after: readonly Item[]): string[] {
  const texts: string[] = [];
  const data = ({ id, value }: Item): string => JSON.stringify({ id, value });
  for (const now of after) {
    const old = before.find(({ id }) => id === now.id);
    if (old === undefined) texts.push(`item.created ${data(now)}`);
    else if (old.value !== now.value) texts.push(`item.changed ${data(now)}`);
  }
  for (const old of before) {
    if (after.every(({ id }) => id !== old.id)) texts.push(`item.removed ${data(old)}`);
  }
  return texts.sort();
}

describe.each(DATABASES)('transactions on %s', (kind) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig(kind, [Item, Strict, Lenient]);
  });
  afterAll(() => rig.close());
  beforeEach(() => rig.received());

  it('sends exactly what a committed transaction has changed, whatever it did on the way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), fc.boolean(), async (steps, commits) => {
        const before = await rig.dataSource.manager.findBy(Item, {});
        await transaction(rig.dataSource.manager, steps, commits);
        const after = await rig.dataSource.manager.findBy(Item, {});

        const received = rig.received().map((text) =>
          // A removed row is told with its last values, which may be this transaction's own.
          text.startsWith('item.removed') ? text.replace(/"value":\d/, '"value":_') : text,
        );
        expect(received.sort()).toEqual(
          difference(before, after)
            .map((text) =>
              text.startsWith('item.removed') ? text.replace(/"value":\d/, '"value":_') : text,
            )
            .sort(),
        );
      }),
      { seed: 20_261_124, numRuns: kind === 'sqlite' ? 150 : 60 },
    );
  });

  it('stages within the transaction and releases only after the outermost commit', async () => {
    await rig.dataSource.manager.delete(Item, { id: 1 });
    rig.strategy.staged.length = 0;
    await rig.dataSource.transaction(async (manager) => {
      await manager.transaction(async (inner) => {
        await inner.save(Item, { id: 1, value: 1 });
      });
      expect(rig.strategy.staged).toEqual([]);
      expect(rig.received()).toEqual([]);
    });
    expect(rig.strategy.staged).toHaveLength(1);
    expect(rig.strategy.stagedBy.at(-1)?.queryRunner).toBeDefined();
    expect(rig.received()).toEqual(['item.created {"id":1,"value":1}']);
  });

  it('rolls back when staging fails, and releases nothing', async () => {
    rig.strategy.failure = new Error('disk full');
    try {
      await expect(rig.dataSource.manager.save(Item, { id: 77, value: 1 })).rejects.toThrow(
        'disk full',
      );
    } finally {
      rig.strategy.failure = undefined;
    }
    expect(await rig.dataSource.manager.existsBy(Item, { id: 77 })).toBe(false);
    await rig.dataSource.manager.save(Item, { id: 1, value: 0 });
    expect(rig.received().filter((text) => text.includes('77'))).toEqual([]);
  });

  it('drops an event whose payload fails, and fails the transaction only when told so', async () => {
    await rig.dataSource.manager.save(Lenient, { id: 1 });
    expect(await rig.dataSource.manager.existsBy(Lenient, { id: 1 })).toBe(true);
    await expect(rig.dataSource.manager.save(Strict, { id: 1 })).rejects.toThrow('payload failed');
    expect(await rig.dataSource.manager.existsBy(Strict, { id: 1 })).toBe(false);
    expect(rig.received()).toEqual([]);
  });

  it('takes messages sent by hand into the transaction of their manager', async () => {
    const { transactions, factory, dataSource } = rig;
    const message = (event: string) => factory.create({ event });
    expect(transactions.enlist(message('by.hand'), dataSource.manager)).toBe(false);
    await dataSource.transaction(async (manager) => {
      expect(transactions.enlist(message('one'), manager)).toBe(true);
      await manager
        .transaction(async (inner) => {
          transactions.enlist(message('two'), inner);
          throw new RolledBack();
        })
        .catch(() => undefined);
      transactions.enlist(message('three'), manager);
    });
    expect(rig.bodies().map(({ event }) => event)).toEqual(['one', 'three']);
  });
});
