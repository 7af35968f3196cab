import fc from 'fast-check';
import { Column, Entity, type EntityManager, ManyToOne, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';

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

/** A row that must refer to another one by the time of the commit. */
@Entity()
@WebhookEvent<Part>('part.created', { on: 'create', payload: ({ id }) => ({ id }) })
class Part {
  @PrimaryColumn() id!: number;
  @ManyToOne(() => Item, { deferrable: 'INITIALLY DEFERRED', nullable: true }) item!: Item | null;
}

/** Its change is told from a column that only a read of its own answers. */
@Entity()
@WebhookEvent<Code>('code.changed', { on: 'change', when: { secret: { nowEq: 'x' } } })
@WebhookEvent<Code>('code.removed', { on: 'delete', payload: ({ name }) => ({ name }) })
class Code {
  @PrimaryColumn() id!: number;
  @Column({ unique: true }) name!: string;
  @Column({ select: false, default: 'none' }) secret!: string;
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

describe.each(CAPTURE_DATABASES)('transactions on %s', (kind) => {
  let rig: CaptureApp;
  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Item, Strict, Lenient, Part, Code]);
  });
  afterAll(() => rig.close());
  beforeEach(() => rig.received());

  it('sends the net change of a committed transaction', async () => {
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

  it('stages within the transaction and releases after the outermost commit', async () => {
    await rig.dataSource.manager.delete(Item, { id: 1 });
    rig.received();
    rig.strategy.staged.length = 0;
    await rig.dataSource.transaction(async (manager) => {
      await manager.transaction(async (inner) => {
        await inner.save(Item, { id: 1, value: 1 });
      });
      expect(rig.strategy.staged).toEqual([]);
      expect(rig.received()).toEqual([]);
    });
    expect(rig.strategy.staged).toHaveLength(1);
    expect(rig.strategy.stagedBy.at(-1)).toBeDefined();
    expect(rig.received()).toEqual(['item.created {"id":1,"value":1}']);
  });

  it('rolls back when staging fails, and releases no message', async () => {
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

  it('fails the transaction in a way that leaves other subscribers their promises', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    let hasFailed!: () => void;
    const failing = new Promise<void>((resolve) => (hasFailed = resolve));
    const other = {
      beforeTransactionCommit: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        hasFailed();
        throw new Error('another subscriber failed');
      },
    };
    const { subscribers } = rig.dataSource;
    subscribers.unshift(other);
    try {
      await expect(rig.dataSource.manager.save(Strict, { id: 1 })).rejects.toThrow('failed');
      await failing;
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      subscribers.splice(subscribers.indexOf(other), 1);
      process.off('unhandledRejection', note);
    }
  });

  it('drops an event whose payload fails, and fails the transaction with propagateErrors', async () => {
    await rig.dataSource.manager.save(Lenient, { id: 1 });
    expect(await rig.dataSource.manager.existsBy(Lenient, { id: 1 })).toBe(true);
    await expect(rig.dataSource.manager.save(Strict, { id: 1 })).rejects.toThrow('payload failed');
    expect(await rig.dataSource.manager.existsBy(Strict, { id: 1 })).toBe(false);
    expect(rig.received()).toEqual([]);
  });

  it('releases no message of a commit that the database refused, not with the next commit either', async () => {
    // It has no constraints that wait for the commit.
    if (kind === 'mariadb') return;
    const runner = rig.dataSource.createQueryRunner();
    const created = async (id: number, item: number | null): Promise<void> => {
      await runner.startTransaction();
      await runner.manager.save(Part, { id, item: item === null ? null : { id: item } });
      await runner.commitTransaction();
    };
    try {
      rig.strategy.staged.length = 0;
      await expect(created(1, 12_345)).rejects.toThrow(/foreign key/i);
      expect(rig.strategy.staged).toHaveLength(1);
      await runner.rollbackTransaction();
      await created(2, null);
    } finally {
      await runner.release();
    }

    expect(rig.received()).toEqual(['part.created {"id":2}']);
  });

  it('sends nothing of a failed transaction whose COMMIT is a ROLLBACK', async () => {
    if (kind !== 'postgres') return;
    const { dataSource } = rig;
    await dataSource.manager.save(Item, { id: 60, value: 1 });
    rig.received();
    const transaction = dataSource.transaction(async (manager) => {
      await manager.insert(Item, { id: 61, value: 1 });
      await expect(manager.insert(Item, { id: 60, value: 2 })).rejects.toThrow(/duplicate/);
    });
    // The row of the event is read before the commit.
    await expect(transaction).rejects.toThrow(/transaction is aborted/);
    expect(await dataSource.manager.existsBy(Item, { id: 61 })).toBe(false);
    expect(rig.received()).toEqual([]);
    await dataSource.manager.insert(Item, { id: 62, value: 1 });
    expect(rig.received()).toEqual(['item.created {"id":62,"value":1}']);
  });

  it('forgets the rows that it read for a failed write', async () => {
    const { manager } = rig.dataSource;
    await manager.insert(Code, [
      { id: 1, name: 'one' },
      { id: 2, name: 'two' },
    ]);
    const runner = rig.dataSource.createQueryRunner();
    try {
      await expect(runner.manager.save(Code, { id: 1, name: 'two' })).rejects.toThrow(
        /unique|duplicate/i,
      );
      await runner.query(`UPDATE code SET name = 'uno' WHERE id = 1`);
      await runner.manager.remove(await runner.manager.findOneByOrFail(Code, { id: 1 }));
    } finally {
      await runner.release();
    }

    expect(rig.received()).toEqual(['code.removed {"name":"uno"}']);
  });

  it('reads no row whose new values show that it is unchanged', async () => {
    await rig.dataSource.manager.save(Item, { id: 90, value: 1 });
    const reads = async (last: number): Promise<number> => {
      rig.queries();
      await rig.dataSource.transaction(async (manager) => {
        await manager.save(Item, { id: 90, value: 2 });
        await manager.save(Item, { id: 90, value: last });
      });
      // Those that lock are made before an update, where it does not answer the row.
      return rig.queries().filter((sql) => /thorn_row(?!.* FOR )/s.test(sql)).length;
    };

    expect(await reads(1)).toBe(0);
    expect(await reads(3)).toBe(1);
  });

  it('adds messages sent by hand to the transaction of their manager', async () => {
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
    expect(rig.bodies().map(({ type }) => type)).toEqual(['one', 'three']);
  });
});
