import { setImmediate as turn, setTimeout as passes } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import {
  AfterInsert,
  Column,
  type DataSource,
  type EntityManager,
  Entity,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  QueryFailedError,
} from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

class Refused extends Error {}

/** Is called by the payload function of a note, and by the hooks of others. */
let calledWithin: () => unknown = () => undefined;
const callsNothing = () => undefined;

@Entity()
@Webhooks<Note>({
  payload: async ({ text }) => {
    await calledWithin();
    return { text };
  },
  propagateErrors: true,
})
@WebhookEvent<Note>('note.created', { on: 'create' })
class Note {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar', length: 80 })
  text!: string;
}

/** What is written by that which a save calls. */
@Entity()
class Trace {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar', length: 80 })
  text!: string;
}

/** Its events call no function. */
@Entity()
@WebhookEvent<Tag>('tag.created', { on: 'create' })
@WebhookEvent<Tag>('tag.deleted', { on: 'delete' })
class Tag {
  @PrimaryColumn({ type: 'varchar', length: 80 })
  name!: string;
}

@Entity()
@WebhookEvent<Listening>('listening.created', { on: 'create' })
class Listening {
  @PrimaryGeneratedColumn()
  id!: number;

  @AfterInsert()
  async listen(): Promise<void> {
    await calledWithin();
  }
}

const note = (text: string) => Object.assign(new Note(), { text });
const trace = (text: string) => Object.assign(new Trace(), { text });
const tag = (name: string) => Object.assign(new Tag(), { name });

describe.each(DATABASES_ALIKE)('what a save calls, on %s', (kind) => {
  const isSqlite = kind === 'sqlite';
  let app: CaptureApp;
  let dataSource: DataSource;
  let manager: EntityManager;

  const open = async (entities: readonly (new () => object)[]) => {
    app = await openCaptureApp(kind, entities);
    ({ dataSource } = app);
    ({ manager } = dataSource);
    // Else its `stage` might write as well.
  };
  beforeEach(async () => {
    calledWithin = callsNothing;
    await open([Note, Trace, Tag]);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await app.close();
  });

  /** Writes with another manager than that of the save. On SQLite everything within belongs to the save. */
  const leaveTrace = async () => {
    await passes(2);
    await manager.save(trace('left'));
  };
  const traces = () => manager.count(Trace);

  describe('from the function of an event', () => {
    it('belongs to the function of a transaction, and not to a save: a warning says so', async () => {
      const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
      const found: unknown[] = [];
      calledWithin = async () => {
        await passes(1);
        found.push(app.transactions.current()?.queryRunner?.isTransactionActive);
      };
      await manager.transaction((within) => within.save(note('a')));
      expect(warn.mock.calls).toEqual([]);
      await manager.save(note('b'));
      expect(warn.mock.calls).toEqual([
        [expect.stringMatching(/save\(\).*\{ manager: event\.manager \}/)],
      ]);
      expect(found).toEqual([true, undefined]);
      expect(app.transactions.current()).toBeUndefined();
    });

    it('is not mistaken for others, who are called while a save waits for its statements', async () => {
      const warn = vi.spyOn(Logger.prototype, 'warn');
      const saving = manager.save(note('a')).then(() => 'saved');
      while ((await Promise.race([saving, turn()])) !== 'saved') app.transactions.current();
      expect(warn.mock.calls).toEqual([]);
    });

    it('may write', async () => {
      calledWithin = leaveTrace;
      await manager.save(note('a'));
      expect(await traces()).toBe(1);
      expect(app.received()).toEqual(['note.created {"text":"a"}']);
    });

    it('may write outside of a transaction', async () => {
      calledWithin = leaveTrace;
      await manager.save(note('a'), { transaction: false });
      expect(await traces()).toBe(1);
      expect(app.received()).toEqual(['note.created {"text":"a"}']);
    });

    it('may write in a transaction within', async () => {
      calledWithin = () =>
        manager.transaction(async (within) => {
          await within.save(trace('within'));
          await leaveTrace();
        });
      await manager.save(note('a'));
      expect(await traces()).toBe(2);
      expect(app.received()).toEqual(['note.created {"text":"a"}']);
    });

    it('is rolled back with the save', async () => {
      calledWithin = async () => {
        await leaveTrace();
        throw new Refused();
      };
      await expect(manager.save(note('a'))).rejects.toBeInstanceOf(Refused);
      expect(await traces()).toBe(isSqlite ? 0 : 1);
      expect(await manager.count(Note)).toBe(0);
      expect(app.received()).toEqual([]);
    });

    it('leaves later saves alone when nobody has waited for it', async () => {
      let late: Promise<void> | undefined;
      calledWithin = () => {
        late = leaveTrace();
      };
      await manager.save(note('a'));
      calledWithin = () => {
        throw new Refused();
      };
      await expect(manager.save(note('b'))).rejects.toBeInstanceOf(Refused);
      await late;
      expect(await traces()).toBe(1);
    });
  });

  it('may write from a strategy', async () => {
    app.strategy.stage = leaveTrace;
    await manager.save(tag('a'));
    expect(await traces()).toBe(1);
  });

  it('may write from a method in the place of TypeORM’s', async () => {
    app.capture.detach();
    const { save } = manager;
    Object.assign(manager, {
      save: async (row: object) => {
        const saved: unknown = await Reflect.apply(save, manager, [row]);
        await dataSource.getRepository(Trace).insert(trace('beside'));
        return saved;
      },
    });
    app.capture.attach();
    await manager.save(tag('a'));
    expect(await traces()).toBe(1);
    expect(app.received()).toHaveLength(1);
  });

  it('may write from a subscriber that is added later', async () => {
    await manager.save(tag('a'));
    dataSource.subscribers.push({ listenTo: () => Tag, afterInsert: leaveTrace });
    await manager.save(tag('b'));
    expect(await traces()).toBe(1);
  });

  it('may write from a listener of an entity', async () => {
    await app.close();
    await open([Listening, Trace]);
    calledWithin = leaveTrace;
    await manager.save(new Listening());
    expect(await traces()).toBe(1);
  });

  it('is told by each method that saves and removes', async () => {
    const saved = await manager.save([tag('a'), tag('b')]);
    await manager.remove(saved);
    await dataSource.getRepository(Tag).save(tag('c'));
    expect(app.received().map((line) => line.split(' ')[0])).toEqual([
      'tag.created',
      'tag.created',
      'tag.deleted',
      'tag.deleted',
      'tag.created',
    ]);
  });

  it('makes the statements of TypeORM', async () => {
    await manager.save(tag('a'));
    app.queries();
    await manager.save(tag('b'));
    const verbs = app.queries().map((sql) => sql.split(' ')[0]);
    const begin = isSqlite ? 'BEGIN' : 'START';
    expect(verbs).toEqual(['SELECT', begin, 'INSERT', 'COMMIT']);
  });

  it('belongs to the transaction that it is called in', async () => {
    await manager.save(tag('a'));
    const undone = manager.transaction(async () => {
      await manager.save(tag('b'));
      throw new Refused();
    });
    await expect(undone).rejects.toBeInstanceOf(Refused);
    // Other databases give it a connection and a transaction of its own.
    expect(await manager.count(Tag)).toBe(isSqlite ? 1 : 2);
  });

  it('leaves no connection behind when it fails', async () => {
    calledWithin = () => {
      throw new Refused();
    };
    const failing = Array.from({ length: 25 }, () => manager.save(note('a')));
    const results = await Promise.allSettled(failing);
    expect(results.map(({ status }) => status)).toEqual(results.map(() => 'rejected'));
    calledWithin = callsNothing;
    await Promise.all(Array.from({ length: 25 }, (_, at) => manager.save(note(`${at}`))));
    expect(await manager.count(Note)).toBe(25);
  });
});

describe('a save on SQLite whose COMMIT fails', () => {
  @Entity()
  @WebhookEvent<Child>('child.created', { on: 'create' })
  class Child {
    @PrimaryColumn({ type: 'integer' })
    id!: number;

    @Column({ type: 'integer' })
    parent!: number;
  }

  let app: CaptureApp;
  beforeEach(async () => {
    app = await openCaptureApp('sqlite', [Child]);
    const { dataSource } = app;
    await dataSource.query('DROP TABLE child');
    await dataSource.query('CREATE TABLE parent (id integer PRIMARY KEY)');
    await dataSource.query('INSERT INTO parent VALUES (1)');
    await dataSource.query(
      'CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent DEFERRABLE INITIALLY DEFERRED)',
    );
  });
  afterEach(() => app.close());

  const child = (id: number, parent: number) => Object.assign(new Child(), { id, parent });

  it('rejects as TypeORM does, is rolled back, and sends nothing', async () => {
    const { manager } = app.dataSource;
    await manager.save(child(1, 1));
    app.received();
    app.queries();
    const failing = manager.save(child(2, 7));
    await expect(failing).rejects.toMatchObject({ query: 'COMMIT', code: /CONSTRAINT/ });
    await expect(failing).rejects.toBeInstanceOf(QueryFailedError);
    expect(app.queries().at(-1)).toBe('ROLLBACK');
    expect(app.received()).toEqual([]);
    await manager.save(child(3, 1));
    expect(app.received()).toHaveLength(1);
    expect((await manager.find(Child)).map(({ id }) => id)).toEqual([1, 3]);
  });
});

describe.each(['postgres', 'mariadb'] as const)('a query runner that all share, on %s', (kind) => {
  it('tells its callers of their transaction after a save', async () => {
    const app = await openCaptureApp(kind, [Tag]);
    const { dataSource } = app;
    // As in tests that roll back everything.
    const shared = dataSource.createQueryRunner();
    const release = shared.release.bind(shared);
    shared.release = async () => undefined;
    dataSource.createQueryRunner = () => shared;
    for (const name of ['a', 'b']) await dataSource.manager.save(tag(name));
    await dataSource.manager.transaction(async () => {
      expect(app.transactions.current()?.queryRunner).toBe(shared);
    });
    expect(app.received()).toHaveLength(2);
    await release();
    await app.close();
  });
});

it('saves after the data source was initialised again', async () => {
  const app = await openCaptureApp('sqlite', [Tag]);
  const { dataSource } = app;
  for (const name of ['a', 'b']) await dataSource.manager.save(tag(name));
  await dataSource.destroy();
  await dataSource.initialize();
  await dataSource.manager.save(tag('a'));
  expect(await dataSource.manager.count(Tag)).toBe(1);
  await app.close();
});
