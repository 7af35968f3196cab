import fc from 'fast-check';
import { Column, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
@WebhookEvent<Page>('page.created', { on: 'create', payload: ({ id, text }) => [id, text] })
@WebhookEvent<Page>('page.changed', { on: 'change', payload: ({ id, text }) => [id, text] })
@WebhookEvent<Page>('page.removed', { on: 'delete', payload: ({ id, text }) => [id, text] })
class Page {
  @PrimaryColumn() id!: number;
  @Column({ default: '' }) text!: string;
}

/** Of a name that is not open, `release` and `rollback` do nothing. */
type Step =
  | { readonly do: 'insert' }
  | { readonly do: 'savepoint' | 'release' | 'rollback'; readonly name: string }
  | { readonly do: 'nest'; readonly steps: readonly Step[]; readonly commits: boolean };

const step = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { depthSize: 'small' },
    fc.record({ do: fc.constant('insert' as const) }),
    fc.record({
      do: fc.constantFrom('savepoint' as const, 'release' as const, 'rollback' as const),
      name: fc.constantFrom('a', 'b'),
    }),
    fc.record({
      do: fc.constant('nest' as const),
      steps: fc.array(tie('step'), { maxLength: 6 }),
      commits: fc.boolean(),
    }),
  ),
})).step;

const undo = new Error('Undo');

describe.each(DATABASES_ALIKE)('savepoints by hand on %s', (kind) => {
  let app: CaptureApp;
  const manager = () => app.dataSource.manager;
  const ids = async () =>
    (await manager().find(Page, { order: { id: 'ASC' } })).map(({ id }) => id);

  beforeAll(async () => {
    app = await openCaptureApp(kind, [Page]);
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    await manager().createQueryBuilder().delete().from(Page).callListeners(false).execute();
    app.received();
  });

  let next = 0;
  async function play(on: EntityManager, steps: readonly Step[], nests: boolean): Promise<void> {
    let open: string[] = [];
    for (const step of steps) {
      if (step.do === 'insert') await on.save(Page, { id: ++next }, { transaction: nests });
      else if (step.do === 'savepoint') {
        await on.query(`SAVEPOINT ${step.name}`);
        // There a savepoint replaces the one with its name, elsewhere it hides that.
        if (kind === 'mariadb') open = open.filter((name) => name !== step.name);
        open.push(step.name);
      } else if (step.do === 'nest') {
        if (!nests) continue;
        const nested = on.transaction(async (inner) => {
          await play(inner, step.steps, true);
          if (!step.commits) throw undo;
        });
        await nested.catch((error: unknown) => {
          if (error !== undo) throw error;
        });
      } else {
        const index = open.lastIndexOf(step.name);
        if (index < 0) continue;
        const isRelease = step.do === 'release';
        const ended = on.query(`${isRelease ? 'RELEASE' : 'ROLLBACK TO'} SAVEPOINT ${step.name}`);
        // There another one of its name has replaced it, in a nested transaction.
        if (kind === 'mariadb') await ended.catch(() => undefined);
        else await ended;
        open.length = isRelease ? index : index + 1;
      }
    }
  }

  it.each(['of TypeORM', 'by hand'])(
    'send just what is left of them in a transaction %s',
    async (whose) => {
      const steps = fc.array(step, { maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const before = await ids();
          if (whose === 'of TypeORM') await manager().transaction((on) => play(on, all, true));
          else {
            const runner = app.dataSource.createQueryRunner();
            await runner.query('BEGIN');
            await play(runner.manager, all, false);
            await runner.query('COMMIT');
            await runner.release();
          }
          const created = (await ids()).slice(before.length);
          expect(app.received()).toEqual(created.map((id) => `page.created [${id},""]`));
        }),
        { seed: 20_261_127, numRuns: 40 },
      );
    },
  );

  it.each([
    ['savepoint s', 'rollback to s'],
    ['SAVEPOINT "s t"', 'ROLLBACK TRANSACTION TO SAVEPOINT "s t";'],
    ['/* ours */ SAVEPOINT S', 'ROLLBACK TO SAVEPOINT s'],
  ])('take what was changed since, and nothing else: %s', async (begin, end) => {
    if (kind === 'mariadb') {
      [begin, end] = [begin, end].map((sql) => sql.replaceAll('"', '`')) as [string, string];
      end = end.replace(' TRANSACTION', '');
    }
    await manager().insert(Page, { id: 1 });
    app.received();
    await manager().transaction(async (inner) => {
      await inner.save(Page, { id: 1, text: 'a' });
      await inner.query(begin);
      await inner.delete(Page, { id: 1 });
      await inner.query(end);
      await inner.insert(Page, { id: 3 });
    });
    expect(app.received()).toEqual(['page.changed [1,"a"]', 'page.created [3,""]']);
  });

  it('take nothing when the database does not know them', async () => {
    // There the transaction has failed.
    if (kind === 'postgres') return;
    await manager().transaction(async (inner) => {
      await inner.query('SAVEPOINT s');
      await inner.insert(Page, { id: 1 });
      await expect(inner.query('ROLLBACK TO SAVEPOINT other')).rejects.toThrow(/savepoint/i);
    });
    expect(app.received()).toEqual(['page.created [1,""]']);
  });
});
