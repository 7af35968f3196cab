import { type INestApplication, Logger } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  Column,
  CreateDateColumn,
  DataSource,
  DeleteDateColumn,
  Entity,
  ManyToOne,
  type MigrationInterface,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type QueryRunner,
  type Relation,
} from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createChangeTrigger,
  dropChangeTrigger,
  thornChangeFeedMigrations,
} from '../../lib/typeorm/index.js';
import {
  outbox,
  Subscribers,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvent,
  Webhooks,
} from '../../lib/index.js';
import { loopback, startBlog } from '../support/apps/blog.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { Receiver } from '../support/receiver.js';

@Entity()
class Writer {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @OneToMany(() => Note, ({ writer }) => writer) notes!: Relation<Note[]>;
}

@Entity()
@Webhooks<Note>({
  payload: ({ title, writer, amount, writtenAt }, { changes }) => ({
    title,
    by: writer?.name ?? null,
    amount,
    year: writtenAt.getUTCFullYear(),
    ...(Object.keys(changes).length === 0 ? {} : { changes }),
  }),
  relations: ['writer'],
  owner: 'writer.id',
})
@WebhookEvent<Note>('note.created', { on: 'create' })
@WebhookEvent<Note>('note.changed', { on: 'change' })
@WebhookEvent<Note>('note.removed', { on: 'delete' })
@WebhookEvent<Note>('note.published', { on: 'change', when: { state: { nowEq: 'PUBLISHED' } } })
@WebhookEvent<Note>('note.handed-over', {
  on: 'change',
  when: { writer: { name: { nowEq: 'bob' } } },
})
class Note {
  @PrimaryGeneratedColumn({ type: 'bigint' }) id!: string;
  @Column() title!: string;
  @Column({ default: 'DRAFT' }) state!: string;
  @Column({ select: false, default: 'secret' }) token!: string;
  @Column('numeric', { precision: 20, scale: 2 }) amount!: string;
  @CreateDateColumn({ name: 'written_at', type: 'timestamptz' }) writtenAt!: Date;
  @DeleteDateColumn() deletedAt!: Date | null;
  @ManyToOne(() => Writer, ({ notes }) => notes, { nullable: true, onDelete: 'SET NULL' })
  writer!: Relation<Writer> | null;
}

/** Holds up the process that makes a message of a place, once `reach` was called. */
let gate: { readonly reach: () => void; readonly opened: Promise<void> } | undefined;

/** Its key has two parts. */
@Entity()
@WebhookEvent<Place>('place.{shelf}.changed', {
  on: 'change',
  payload: ({ at, label }, { before }) => ({ at, label, was: before?.label }),
})
@WebhookEvent<Place>('place.broken', {
  on: 'create',
  propagateErrors: true,
  payload: async ({ label }) => {
    gate?.reach();
    await gate?.opened;
    if (label === 'bad') throw new Error('cannot be told');
    return { label };
  },
})
class Place {
  @PrimaryColumn() shelf!: string;
  @PrimaryColumn() at!: number;
  @Column() label!: string;
}

class CreateTriggers1767312000009 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await createChangeTrigger(queryRunner, { table: 'note', entity: 'Note' });
    await createChangeTrigger(queryRunner, {
      table: 'place',
      entity: 'Place',
      key: ['at', 'shelf'],
    });
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await dropChangeTrigger(queryRunner, 'note');
    await dropChangeTrigger(queryRunner, 'place');
  }
}

describe('the change feed', () => {
  let database: TestDatabase;
  let outside: DataSource;
  let receiver: Receiver;
  const apps: INestApplication[] = [];

  beforeEach(async () => {
    database = await createDatabase('postgres');
    receiver = await Receiver.start();
    // Another program, as far as the applications can tell: it is not captured.
    outside = await new DataSource({
      ...database.options,
      entities: [Note, Writer, Place],
      synchronize: true,
      migrations: [...thornChangeFeedMigrations, CreateTriggers1767312000009],
    }).initialize();
    await outside.runMigrations();
    await sql(`INSERT INTO writer (id, name) VALUES (1, 'ada'), (2, 'bob')`);
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await receiver.stop();
    await outside.destroy();
    await database.drop();
  });

  const sql = (text: string) => outside.query<Record<string, unknown>[]>(text);

  async function start(
    options: ThornModuleOptions & ThornModuleExtras = {},
  ): Promise<{ dataSource: DataSource; dispatcher: WebhookDispatcher }> {
    const { app, dataSource } = await startBlog(
      { ...database.options, synchronize: true },
      {
        dispatch: outbox(),
        changeFeed: { pollInterval: 20 },
        recipients: loopback,
        ...options,
      },
      [TypeOrmModule.forFeature([Note, Writer, Place])],
    );
    apps.push(app);
    if (apps.length === 1) {
      await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    }
    return { dataSource, dispatcher: app.get(WebhookDispatcher) };
  }

  const bodies = () =>
    receiver.requests
      .map((_, at) => receiver.json(at) as { type: string; data: unknown })
      .map(({ type, data }) => `${type} ${JSON.stringify(data)}`);

  /** What has arrived once a last change has, and nothing is under way any more. */
  async function arrived(): Promise<string[]> {
    const last = 'place.broken {"label":"last"}';
    await sql(`INSERT INTO place (shelf, at, label) VALUES ('last', 0, 'last')`);
    await vi.waitFor(async () => {
      expect(bodies()).toContain(last);
      expect(await sql('SELECT id FROM thorn_pending_messages')).toEqual([]);
      expect(await sql('SELECT id FROM thorn_deliveries WHERE due_at IS NOT NULL')).toEqual([]);
    });
    return bodies()
      .filter((text) => text !== last)
      .sort();
  }

  const data = (title: string, by: string | null, more = '') =>
    `{"title":"${title}","by":${JSON.stringify(by)},"amount":"9007199254740993.10","year":2024${more}}`;

  const insert = (title: string, writer: number | null = 1) =>
    `INSERT INTO note (title, "writerId", amount, written_at) VALUES ('${title}', ${writer}, 9007199254740993.10, '2024-06-01T00:00:00Z')`;

  it('sends what SQL by hand changes, as captured changes: conditions, transitions, relations, owner', async () => {
    await start();
    await sql(insert('one'));
    await sql(`UPDATE note SET title = 'two'`);
    await sql(`UPDATE note SET state = 'PUBLISHED'`);
    await sql(`UPDATE note SET "writerId" = 2`);
    await sql('DELETE FROM note');

    expect(await arrived()).toEqual(
      [
        `note.changed ${data('two', 'ada', ',"changes":{"title":{"from":"one","to":"two"}}')}`,
        `note.changed ${data('two', 'ada', ',"changes":{"state":{"from":"DRAFT","to":"PUBLISHED"}}')}`,
        `note.changed ${data('two', 'bob', ',"changes":{"writer":{"from":1,"to":2}}')}`,
        `note.created ${data('one', 'ada')}`,
        `note.handed-over ${data('two', 'bob', ',"changes":{"writer":{"from":1,"to":2}}')}`,
        `note.published ${data('two', 'ada', ',"changes":{"state":{"from":"DRAFT","to":"PUBLISHED"}}')}`,
        `note.removed ${data('two', 'bob')}`,
      ].sort(),
    );
    const owners = receiver.requests.map((_, at) => receiver.json(at) as Record<string, unknown>);
    expect(owners.find(({ type }) => type === 'note.removed')).toMatchObject({ owner: '2' });
    expect(await sql('SELECT * FROM thorn_changes')).toEqual([]);
  });

  it('sends the net change of each transaction, and nothing of one that is rolled back', async () => {
    await start();
    await outside.transaction(async (manager) => {
      await manager.query(insert('created'));
      await manager.query(`UPDATE note SET title = 'last'`);
      await manager.query('SAVEPOINT s');
      await manager.query(`UPDATE note SET title = 'not this one'`);
      await manager.query('ROLLBACK TO s');
      await manager.query(insert('gone'));
      await manager.query(`DELETE FROM note WHERE title = 'gone'`);
    });
    await outside
      .transaction(async (manager) => {
        await manager.query(insert('never'));
        throw new Error('no');
      })
      .catch(() => undefined);
    await outside.transaction(async (manager) => {
      await manager.query(`UPDATE note SET title = 'away'`);
      await manager.query(`UPDATE note SET title = 'last'`);
    });
    await sql(`UPDATE note SET token = 'other'`);

    expect(await arrived()).toEqual([`note.created ${data('last', 'ada')}`]);
  });

  it('tells soft removal, recovery, and a key of several columns that changes', async () => {
    await start();
    await sql(insert('soft'));
    await sql('UPDATE note SET "deletedAt" = now()');
    await sql('UPDATE note SET "deletedAt" = NULL');
    await sql(`INSERT INTO place (shelf, at, label) VALUES ('a', 1, 'x')`);
    await sql(`UPDATE place SET label = 'y'`);
    await sql(`UPDATE place SET at = 2`);

    expect(await arrived()).toEqual([
      `note.created ${data('soft', 'ada')}`,
      `note.created ${data('soft', 'ada')}`,
      `note.removed ${data('soft', 'ada')}`,
      'place.a.changed {"at":1,"label":"y","was":"x"}',
      'place.broken {"label":"x"}',
      'place.broken {"label":"y"}',
    ]);
  });

  it('sends once what the capture has seen as well, and what it has not seen beside it', async () => {
    const { dataSource } = await start();
    const { id } = await dataSource.transaction(async (manager) => {
      await manager.query(insert('by hand'));
      return manager.save(Note, {
        title: 'saved',
        amount: '9007199254740993.10',
        writtenAt: new Date('2024-06-01T00:00:00Z'),
      });
    });
    await dataSource.transaction(async (manager) => {
      await manager.save(Note, { id, title: 'saved again' });
      await manager.query(`UPDATE note SET state = 'PUBLISHED' WHERE id = ${id}`);
    });
    await dataSource.manager.save(Place, { shelf: 'b', at: 1, label: 'x' }, { transaction: false });
    await dataSource.manager.remove(await dataSource.manager.findOneByOrFail(Note, { id }));

    const changes =
      ',"changes":{"title":{"from":"saved","to":"saved again"},"state":{"from":"DRAFT","to":"PUBLISHED"}}';
    expect(await arrived()).toEqual([
      `note.changed ${data('saved again', null, changes)}`,
      `note.created ${data('by hand', 'ada')}`,
      `note.created ${data('saved', null)}`,
      `note.published ${data('saved again', null, changes)}`,
      `note.removed ${data('saved again', null)}`,
      'place.broken {"label":"x"}',
    ]);
  });

  it('sends each change once, and those of a row in order, however many workers there are', async () => {
    await start();
    await start();
    await start({ dispatch: outbox({ worker: false }) });
    await sql(
      `INSERT INTO place (shelf, at, label) SELECT 'c', n, '0' FROM generate_series(1, 40) n`,
    );
    for (let round = 1; round <= 10; round += 1) {
      await Promise.all(
        [0, 1].map((half) =>
          sql(`UPDATE place SET label = '${round}' WHERE at % 2 = ${half} AND shelf = 'c'`),
        ),
      );
    }
    const told = () => bodies().filter((text) => text.startsWith('place.c.changed'));
    await vi.waitFor(() => expect(told().length).toBeGreaterThanOrEqual(400));
    await arrived();

    const ids = new Set(receiver.requests.map(({ headers }) => headers['webhook-id']));
    const created = 41;
    expect(ids.size).toBe(400 + created);
    expect(new Set(told()).size).toBe(400);
    for (const text of told()) {
      const { label, was } = JSON.parse(text.slice(text.indexOf('{'))) as Record<string, string>;
      expect(Number(label)).toBe(Number(was) + 1);
    }
  });

  it('sends once what a process was about to send when its connection died', async () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    let [reach, open] = [() => {}, () => {}];
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const opened = new Promise<void>((resolve) => (open = resolve));
    gate = { reach, opened };
    await start();
    await sql(`INSERT INTO place (shelf, at, label) VALUES ('f', 1, 'x')`);
    await reached;
    const killed = await sql(
      `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted`,
    );
    expect(killed).toHaveLength(1);
    gate = undefined;
    open();

    expect(await arrived()).toEqual(['place.broken {"label":"x"}']);
    expect(error.mock.calls.map(([text]) => String(text))).toContainEqual(
      expect.stringContaining('Reading the change feed failed, again in 20 ms'),
    );
    error.mockRestore();
  });

  it('sends later what is changed while no process runs', async () => {
    await start();
    await apps[0]!.close();
    await sql(insert('early', 2));
    await sql(`UPDATE note SET title = 'later'`);
    await sql('DELETE FROM note');
    await sql('DELETE FROM writer WHERE id = 2');
    await start();

    expect(await arrived()).toEqual([
      `note.changed ${data('later', null, ',"changes":{"title":{"from":"early","to":"later"}}')}`,
      `note.created ${data('early', null)}`,
      `note.removed ${data('later', null)}`,
    ]);
  });

  it('drops an unknown entity with one warning, and an event that fails, and goes on', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await start();
    await sql('CREATE TABLE other (id int)');
    await sql(
      `CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION thorn_report_change('Othr', 'id')`,
    );
    await sql('INSERT INTO other VALUES (1), (2)');
    await sql(`INSERT INTO place (shelf, at, label) VALUES ('d', 1, 'bad'), ('d', 2, 'good')`);

    expect(await arrived()).toEqual(['place.broken {"label":"good"}']);
    await sql('INSERT INTO other VALUES (3)');
    await vi.waitFor(async () => expect(await sql('SELECT * FROM thorn_changes')).toEqual([]));
    const unknown = warn.mock.calls
      .map(([text]) => String(text))
      .filter((text) => text.includes('Othr'));
    expect(unknown).toEqual([expect.stringContaining('not an entity')]);
    expect(error.mock.calls.map(([text]) => String(text))).toEqual([
      expect.stringContaining('place.broken is dropped: cannot be told'),
    ]);
    warn.mockRestore();
    error.mockRestore();
  });

  it('drops rows of the feed that no trigger can have written, says so, and goes on', async () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const garbage = [
      `'Place', '{}', NULL, '{"label": "no key"}'`,
      `'Place', '{}', NULL, '{"shelf": "g", "at": "text", "label": "no number"}'`,
      `'Place', 'null', '[1]', '"text"'`,
      `'Place', '1', 'null', 'null'`,
      `'Place', '{}', NULL, NULL`,
      `'', '{}', NULL, '{}'`,
    ];
    for (const row of garbage) {
      await sql(
        `INSERT INTO thorn_changes (tx, entity, key, old_row, new_row) VALUES (txid_current(), ${row})`,
      );
    }
    await start();
    await sql(`INSERT INTO place (shelf, at, label) VALUES ('g', 1, 'good')`);
    expect(await arrived()).toEqual(['place.broken {"label":"good"}']);
    expect(await sql('SELECT * FROM thorn_changes')).toEqual([]);
    const lines = error.mock.calls.map(([text]) => String(text));
    expect(lines.filter((line) => line.includes('cannot be read and is dropped'))).not.toEqual([]);
    error.mockRestore();
  });

  it('refuses a trigger that names no key, or a column that is not there', async () => {
    await sql('CREATE TABLE other (id int)');
    for (const [args, fault] of [
      [`'Other'`, /thorn_report_change\('Entity', 'key column'\)/],
      [`'Other', 'uid'`, /key column that the table does not have/],
    ] as const) {
      await sql(
        `CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION thorn_report_change(${args})`,
      );
      await expect(sql('INSERT INTO other VALUES (1)')).rejects.toThrow(fault);
      await sql('DROP TRIGGER t ON other');
    }
  });

  it('reports a table, an entity and a key of unusual names', async () => {
    await sql('CREATE SCHEMA "Mixed Case"');
    await sql(`CREATE TABLE "Mixed Case"."it's $thorn$ – 名" ("the key'" int, "Part;--" text)`);
    const runner = outside.createQueryRunner();
    const table = `Mixed Case.it's $thorn$ – 名`;
    const entity = `O'Clock\\ %s {x}`;
    await createChangeTrigger(runner, { table, entity, key: ['Part;--'] });
    await sql(`INSERT INTO "Mixed Case"."it's $thorn$ – 名" VALUES (1, '\\''')`);
    expect(await sql('SELECT entity, key FROM thorn_changes')).toEqual([
      { entity, key: { 'Part;--': `\\'` } },
    ]);
    await dropChangeTrigger(runner, table);
    await sql(`INSERT INTO "Mixed Case"."it's $thorn$ – 名" VALUES (2, 'b')`);
    expect(await sql('SELECT entity FROM thorn_changes')).toHaveLength(1);
    await runner.release();
  });

  it('refuses to create a trigger that no write of its table could pass', async () => {
    const runner = outside.createQueryRunner();
    for (const [trigger, fault] of [
      [{ table: 'place', entity: 'Place' }, /"id" does not exist/],
      [{ table: 'place', entity: 'Place', key: ['shelf', 'At'] }, /"At" does not exist/],
      [{ table: 'place', entity: 'Place', key: [] }, /key must name the columns/],
      [{ table: 'place', entity: '', key: ['at'] }, /entity must be the name of a class/],
      [{ table: 'places', entity: 'Place' }, /"places" does not exist/],
    ] as const) {
      await expect(createChangeTrigger(runner, trigger)).rejects.toThrow(fault);
    }
    await runner.release();
    await sql(`INSERT INTO place (shelf, at, label) VALUES ('a', 1, 'fine')`);
  });

  it('needs no rights on our table of whoever writes', async () => {
    await start();
    const role = `writer_${Date.now()}`;
    await sql(`CREATE ROLE ${role}`);
    try {
      await sql(`GRANT INSERT ON place TO ${role}`);
      await outside.transaction(async (manager) => {
        await manager.query(`SET LOCAL ROLE ${role}`);
        await manager.query(`INSERT INTO place (shelf, at, label) VALUES ('e', 1, 'x')`);
      });
      expect(await arrived()).toEqual(['place.broken {"label":"x"}']);
    } finally {
      await sql(`DROP OWNED BY ${role}`);
      await sql(`DROP ROLE ${role}`);
    }
  });

  it('is reverted by its migrations, and leaves nothing to generate', async () => {
    const log = await outside.driver.createSchemaBuilder().log();
    expect(log.upQueries.map(({ query }) => query)).toEqual([]);
    await outside.undoLastMigration();
    await outside.undoLastMigration();
    expect(await sql(`SELECT to_regclass('thorn_changes') AS found`)).toEqual([{ found: null }]);
    expect(await sql(`SELECT 1 FROM pg_proc WHERE proname = 'thorn_report_change'`)).toEqual([]);
    await expect(start()).rejects.toThrow(
      /no table "public"."thorn_changes".*thornChangeFeedMigrations/,
    );
  });
});
