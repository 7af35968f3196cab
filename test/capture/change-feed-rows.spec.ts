import { Column, DeleteDateColumn, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataSourceOf } from '../../lib/common/typeorm-compat.js';
import { WebhookEvent, Webhooks } from '../../lib/index.js';
import { type FeedApp, openFeedApp } from '../support/apps/feed-app.js';

@Entity()
@Webhooks<Task>({ payload: ({ id, state }, { changes }) => [id, state, ...Object.keys(changes)] })
@WebhookEvent<Task>('task.created', { on: 'create' })
@WebhookEvent<Task>('task.changed', { on: 'change' })
@WebhookEvent<Task>('task.removed', { on: 'delete' })
@WebhookEvent<Task>('task.state', { on: { change: ['state'] } })
class Task {
  @PrimaryColumn() id!: number;
  @Column({ default: 'NEW' }) state!: string;
  @Column({ default: '' }) title!: string;
  @Column({ default: '', select: false }) secret!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
}

/** Events of an entity whose payload is its key and one value. */
function Keyed(name: string) {
  return (target: new () => { id: unknown; value: number }): void => {
    for (const on of ['create', 'change', 'delete'] as const) {
      const payload = ({ id, value }: { id: unknown; value: number }) => [id, value];
      WebhookEvent<{ id: unknown; value: number }>(`${name}.${on}`, { on, payload })(target);
    }
  };
}

@Entity()
@Keyed('slot')
class Slot {
  @PrimaryColumn({ type: 'timestamptz', precision: 3 }) id!: Date;
  @Column() value!: number;
}

@Entity()
@Keyed('code')
class Code {
  @PrimaryColumn({
    type: 'varchar',
    transformer: {
      to: (id: unknown) => (typeof id === 'string' ? `c-${id}` : id),
      from: (id: unknown) => (typeof id === 'string' ? id.slice(2) : id),
    },
  })
  id!: string;
  @Column() value!: number;
}

@Entity()
@Keyed('price')
class Price {
  @PrimaryColumn({ type: 'numeric', precision: 10, scale: 2 }) id!: string;
  @Column() value!: number;
}

@Entity()
@Keyed('label')
class Label {
  @PrimaryColumn({ type: 'char', length: 4 }) id!: string;
  @Column() value!: number;
}

type Write = (manager: EntityManager, sql: (text: string) => Promise<unknown>) => Promise<unknown>;

describe('rows of the change feed', () => {
  let app: FeedApp;
  beforeAll(async () => {
    app = await openFeedApp([Task, Slot, Code, Price, Label]);
  });
  afterAll(() => app.close());

  /** What a write sends, of a table with `rows`. */
  async function sentBy(rows: string, write: Write): Promise<string[]> {
    await app.sqlUnseen(`DELETE FROM task; ${rows}`);
    return app.sentBy(() => write(app.manager, app.sql));
  }

  const task = (more = '') => `INSERT INTO task (id${more && ', "deletedAt"'}) VALUES (1${more})`;

  it.each<[string, string, Write, string[]]>([
    [
      'of 3,000 rows that come and go',
      '',
      (_, run) =>
        run(
          'BEGIN; INSERT INTO task (id) SELECT generate_series(1, 3000); DELETE FROM task; COMMIT',
        ),
      [],
    ],
    [
      'of 3,000 rows that are changed and changed back',
      'INSERT INTO task (id) SELECT generate_series(1, 3000)',
      (_, run) =>
        run(
          `BEGIN; UPDATE task SET state = 'X'; UPDATE task SET state = 'NEW'; UPDATE task SET title = 't' WHERE id = 7; COMMIT`,
        ),
      ['task.changed [7,"NEW","title"]'],
    ],
    [
      'of a row that is changed 3,000 times and removed',
      task(),
      (_, run) =>
        run(
          `BEGIN; DO $$ BEGIN FOR i IN 1..3000 LOOP UPDATE task SET state = 'S' || i; END LOOP; END $$; DELETE FROM task; COMMIT`,
        ),
      ['task.removed [1,"S3000"]'],
    ],
  ])('tells the net change %s in one transaction', async (_, rows, write, expected) => {
    expect(await sentBy(rows, write)).toEqual(expected);
  });

  it('keeps rows of transactions apart that run at the same time', async () => {
    const { sql } = app;
    const open = dataSourceOf(app.manager).createQueryRunner();
    const sent = await sentBy('INSERT INTO task (id) SELECT generate_series(1, 3)', async () => {
      await open.startTransaction();
      await open.query(`UPDATE task SET state = 'A' WHERE id = 1`);
      await sql(`UPDATE task SET state = 'B' WHERE id = 2`);
      await open.query(`UPDATE task SET state = 'C' WHERE id = 2`);
      await sql(`UPDATE task SET state = 'D' WHERE id = 3`);
      await open.query(`UPDATE task SET state = 'NEW' WHERE id = 1`);
      await open.commitTransaction();
    });
    await open.release();
    expect(sent).toEqual([
      'task.changed [2,"B","state"]',
      'task.changed [2,"C","state"]',
      'task.changed [3,"D","state"]',
      'task.state [2,"B","state"]',
      'task.state [2,"C","state"]',
      'task.state [3,"D","state"]',
    ]);
  });

  it.each<[string, string, Write, string[]]>([
    [
      'changed by SQL',
      task(', now()'),
      (_, run) => run(`UPDATE task SET state = 'X', "deletedAt" = now() + '1 day'`),
      [],
    ],
    ['changed by the application', task(', now()'), (m) => m.update(Task, 1, { state: 'X' }), []],
    ['removed for good', task(', now()'), (_, run) => run('DELETE FROM task'), []],
    [
      'made and removed in one transaction',
      '',
      (_, run) => run(`BEGIN; ${task()}; UPDATE task SET "deletedAt" = now(); COMMIT`),
      [],
    ],
    [
      'changed and then recovered',
      task(', now()'),
      (_, run) => run(`UPDATE task SET state = 'X'; UPDATE task SET "deletedAt" = NULL`),
      ['task.created [1,"X"]'],
    ],
  ])('tells nothing more of a softly removed row: %s', async (_, rows, write, expected) => {
    expect(await sentBy(rows, write)).toEqual(expected);
  });

  it.each<[string, string, Write, string[]]>([
    [
      'a state by SQL, then a title',
      task(),
      async (m) => {
        await m.query(`UPDATE task SET state = 'X'`);
        await m.update(Task, 1, { title: 't' });
      },
      ['task.changed [1,"X","state","title"]', 'task.state [1,"X","state","title"]'],
    ],
    [
      'a title, then a state by SQL',
      task(),
      async (m) => {
        await m.save(Task, { id: 1, title: 't' });
        await m.query(`UPDATE task SET state = 'X'`);
      },
      ['task.changed [1,"X","state","title"]', 'task.state [1,"X","state","title"]'],
    ],
    [
      'the same value by SQL before',
      task(),
      async (m) => {
        await m.query(`UPDATE task SET state = 'X'`);
        await m.update(Task, 1, { state: 'X' });
      },
      ['task.changed [1,"X","state"]', 'task.state [1,"X","state"]'],
    ],
    [
      'a hidden column beside a change by SQL',
      task(),
      async (m) => {
        await m.query(`UPDATE task SET title = 't'`);
        await m.update(Task, 1, { secret: 's' });
      },
      ['task.changed [1,"NEW","title"]'],
    ],
    [
      'what changes back a change by SQL',
      task(),
      async (m) => {
        await m.query(`UPDATE task SET state = 'X'`);
        await m.update(Task, 1, { state: 'NEW' });
      },
      [],
    ],
    [
      'a row that SQL has made',
      '',
      async (m) => {
        await m.query(task());
        await m.update(Task, 1, { state: 'X' });
      },
      ['task.created [1,"X"]'],
    ],
    [
      'a row that SQL then removes',
      task(),
      async (m) => {
        await m.save(Task, { id: 1, title: 't' });
        await m.query('DELETE FROM task');
      },
      ['task.removed [1,"NEW"]'],
    ],
    [
      'a removal after which SQL makes the row anew',
      task(),
      async (m) => {
        await m.delete(Task, 1);
        await m.query(`INSERT INTO task (id, state) VALUES (1, 'X')`);
      },
      ['task.changed [1,"X","state"]', 'task.state [1,"X","state"]'],
    ],
    [
      'a row that a rolled back savepoint has changed by SQL',
      task(),
      async (m) => {
        await m.update(Task, 1, { state: 'X' });
        await m
          .transaction(async (inner) => {
            await inner.query('DELETE FROM task');
            throw new Error('no');
          })
          .catch(() => undefined);
      },
      ['task.changed [1,"X","state"]', 'task.state [1,"X","state"]'],
    ],
    [
      'an expression in a transaction with nothing else',
      'INSERT INTO task (id) VALUES (1), (2)',
      (m) => m.update(Task, { state: 'NEW' }, { state: () => `upper('x') || id` }),
      [1, 2].flatMap((id) => [
        `task.changed [${id},"X${id}","state"]`,
        `task.state [${id},"X${id}","state"]`,
      ]),
    ],
  ])(
    'tells once, and in full, what the application writes beside SQL by hand: %s',
    async (_, rows, write, expected) => {
      expect(await sentBy(rows, (m) => m.transaction((inner) => write(inner, app.sql)))).toEqual(
        expected.sort(),
      );
    },
  );

  it('tells what a trigger of the application adds to a captured change', async () => {
    await app.sql(`CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW.state := 'STAMPED'; RETURN NEW; END $$;
      CREATE TRIGGER stamp BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION stamp()`);
    const sent = await sentBy(task(), (m) => m.update(Task, 1, { title: 't' }));
    await app.sql('DROP TRIGGER stamp ON task');
    expect(sent).toEqual([
      'task.changed [1,"STAMPED","state","title"]',
      'task.state [1,"STAMPED","state","title"]',
    ]);
  });

  it.each<[new () => { id: unknown; value: number }, unknown, unknown]>([
    [Slot, new Date('2026-01-01T00:00:00Z'), '2026-01-01T00:00:00.000Z'],
    [Code, 'x', 'x'],
    [Price, '1.5', '1.50'],
    [Label, 'ab', 'ab  '],
  ])(
    'tells once what the capture sees of a row with a key of any kind: %o',
    async (of, id, key) => {
      const name = of.name.toLowerCase();
      const { manager } = app;
      const row = () => manager.findOneByOrFail(of, {});
      expect(
        await app.sentBy(async () => {
          await manager.insert<{ id: unknown; value: number }>(of, { id: id as object, value: 1 });
          await manager.save(Object.assign(await row(), { value: 2 }));
          await manager.update(of, { value: 2 }, { value: 3 });
          await manager.remove(await row());
        }),
      ).toEqual([
        `${name}.change ${JSON.stringify([key, 2])}`,
        `${name}.change ${JSON.stringify([key, 3])}`,
        `${name}.create ${JSON.stringify([key, 1])}`,
        `${name}.delete ${JSON.stringify([key, 3])}`,
      ]);
    },
  );
});
