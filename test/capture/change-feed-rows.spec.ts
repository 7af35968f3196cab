import type { INestApplication } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  Column,
  DataSource,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  PrimaryColumn,
} from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createChangeTrigger, thornChangeFeedMigrations } from '../../lib/extending/index.js';
import { outbox, Subscribers, WebhookEvent, Webhooks } from '../../lib/index.js';
import { loopback, startBlog } from '../support/apps/blog.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { Receiver } from '../support/receiver.js';

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

const ENTITIES = [Task];

type Write = (manager: EntityManager, sql: (text: string) => Promise<unknown>) => Promise<unknown>;

describe('rows of the change feed', () => {
  let database: TestDatabase;
  let outside: DataSource;
  let receiver: Receiver;
  let app: INestApplication;
  let manager: EntityManager;

  beforeAll(async () => {
    database = await createDatabase('postgres');
    receiver = await Receiver.start();
    outside = await new DataSource({
      ...database.options,
      entities: ENTITIES,
      synchronize: true,
    }).initialize();
    const runner = outside.createQueryRunner();
    for (const Migration of thornChangeFeedMigrations) await new Migration().up(runner);
    for (const entity of ENTITIES) {
      const { tableName: table, name, primaryColumns } = outside.getMetadata(entity);
      const key = primaryColumns.map(({ databaseName }) => databaseName);
      await createChangeTrigger(runner, { table, entity: name, key });
    }
    await runner.release();
    const started = await startBlog(
      { ...database.options, synchronize: true },
      { dispatch: outbox(), changeFeed: { pollInterval: 20 }, recipients: loopback },
      [TypeOrmModule.forFeature(ENTITIES)],
    );
    app = started.app;
    manager = started.dataSource.manager;
    await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
  });
  afterAll(async () => {
    await app.close();
    await receiver.stop();
    await outside.destroy();
    await database.drop();
  });

  const sql = (text: string) => outside.query<Record<string, unknown>[]>(text);

  /** What a write sends, once nothing is under way any more; the table begins with `rows`, of which nothing is sent. */
  async function sentBy(rows: string, write: Write): Promise<string[]> {
    await sql(`ALTER TABLE task DISABLE TRIGGER thorn_touch; DELETE FROM task; ${rows};
      ALTER TABLE task ENABLE TRIGGER thorn_touch`);
    const before = receiver.requests.length;
    await write(manager, sql);
    await vi.waitFor(async () => {
      expect(await sql('SELECT id FROM thorn_changes LIMIT 1')).toEqual([]);
      expect(await sql('SELECT id FROM thorn_pending_messages LIMIT 1')).toEqual([]);
      expect(await sql('SELECT id FROM thorn_deliveries WHERE due_at IS NOT NULL LIMIT 1')).toEqual(
        [],
      );
    }, 20_000);
    return receiver.requests
      .slice(before)
      .map((_, at) => receiver.json(before + at) as { type: string; data: unknown })
      .map(({ type, data }) => `${type} ${JSON.stringify(data)}`)
      .sort();
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
    const open = outside.createQueryRunner();
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
});
