import { Column, Entity, type EntityManager, PrimaryColumn, type UpdateEvent } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';

@Entity()
@Webhooks<Row>({ payload: ({ id, state }) => `${id} ${state}` })
@WebhookEvent<Row>('created', { on: 'create' })
@WebhookEvent<Row>('changed', { on: 'change' })
@WebhookEvent<Row>('removed', { on: 'delete' })
class Row {
  @PrimaryColumn() id!: number;
  @Column() state!: string;
}

type Write = (manager: EntityManager) => Promise<unknown>;
const update =
  (from: string, state: string): Write =>
  (manager) =>
    manager.update(Row, { state: from }, { state });

/** What two writes make of `1 a, 2 b` that are begun at once, as the database makes them one after the other. */
const CASES: readonly (readonly [Write, Write, string[], string[]])[] = [
  [update('a', 'b'), update('b', 'c'), ['1 c', '2 c'], ['changed "1 c"', 'changed "2 c"']],
  [
    update('a', 'b'),
    (manager) => manager.delete(Row, { state: 'b' }),
    [],
    ['removed "1 b"', 'removed "2 b"'],
  ],
  [update('a', 'y'), update('a', 'z'), ['1 y', '2 b'], ['changed "1 y"']],
  [
    (manager) => manager.insert(Row, { id: 3, state: 'n' }),
    update('n', 'm'),
    ['1 a', '2 b', '3 m'],
    ['created "3 m"'],
  ],
];

describe.each(CAPTURE_DATABASES)(
  'writes of one transaction that are begun at once on %s',
  (kind) => {
    let rig: CaptureApp;

    beforeAll(async () => {
      rig = await openCaptureApp(kind, [Row]);
    });
    afterAll(() => rig.close());
    beforeEach(async () => {
      const { manager } = rig.dataSource;
      await manager.createQueryBuilder().delete().from(Row).callListeners(false).execute();
      await manager.insert(Row, [
        { id: 1, state: 'a' },
        { id: 2, state: 'b' },
      ]);
      rig.received();
    });

    const rows = async () => {
      const found = await rig.dataSource.manager.find(Row, { order: { id: 'ASC' } });
      return found.map(({ id, state }) => `${id} ${state}`);
    };

    it.each(CASES)('hit what the ones before have left (%#)', async (one, other, left, sent) => {
      await rig.dataSource.transaction((inner) => Promise.all([one(inner), other(inner)]));
      expect(await rows()).toEqual(left);
      expect(rig.received().sort()).toEqual(sent);
    });

    it('go on when one of them fails', async () => {
      await rig.dataSource.transaction(async (inner) => {
        const criteria: object = { unknown: 1 };
        const wrong = inner.update(Row, criteria, { state: 'z' });
        const [first, second] = await Promise.allSettled([wrong, update('a', 'y')(inner)]);
        expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
      });
      expect(rig.received()).toEqual(['changed "1 y"']);
    });

    it('may write within a hook of one of them', async () => {
      const hooks = {
        beforeUpdate: async ({ manager, entity }: UpdateEvent<Row>) => {
          if (entity?.['state'] !== 'y') return;
          await manager.update(Row, { state: 'b' }, { state: 'x' });
        },
      };
      rig.dataSource.subscribers.push(hooks);
      try {
        await rig.dataSource.transaction((inner) =>
          Promise.all([update('a', 'y')(inner), update('x', 'w')(inner)]),
        );
      } finally {
        rig.dataSource.subscribers.splice(rig.dataSource.subscribers.indexOf(hooks), 1);
      }
      expect(await rows()).toEqual(['1 y', '2 w']);
      expect(rig.received().sort()).toEqual(['changed "1 y"', 'changed "2 w"']);
    });
  },
);
