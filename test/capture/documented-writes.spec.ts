import { readFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import {
  Column,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  InsertQueryBuilder,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  OneToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import type { ReportedChange } from '../../lib/database/triggers/reported-table.js';
import type { Message } from '../../lib/message/index.js';
import { ReportedEntities } from '../../lib/typeorm/triggers/reported-entities.js';
import {
  CAPTURE_DATABASES,
  type CaptureApp,
  type CaptureDatabase,
  openCaptureApp,
} from '../support/apps/capture-app.js';
import { reportChanges } from '../support/reported-changes.js';

@Entity()
class Author {
  @PrimaryColumn() id!: number;
  @OneToMany(() => Article, (article) => article.author) articles!: Relation<Article>[];
  @OneToOne(() => Profile, (profile) => profile.author) profile!: Relation<Profile> | null;
}

@Entity()
class Tag {
  @PrimaryColumn() id!: number;
}

@Entity()
@Webhooks<Article>({ payload: ({ id }) => id })
@WebhookEvent<Article>('created', { on: 'create' })
@WebhookEvent<Article>('changed', { on: 'change' })
@WebhookEvent<Article>('removed', { on: 'delete' })
@WebhookEvent<Article>('tagged', { on: { added: 'tags' } })
@WebhookEvent<Article>('untagged', { on: { removed: 'tags' } })
class Article {
  @PrimaryColumn() id!: number;
  @Column({ default: 0 }) views!: number;
  @ManyToOne(() => Author, ({ articles }) => articles, { nullable: true, onDelete: 'SET NULL' })
  author!: Relation<Author> | null;
  @ManyToMany(() => Tag) @JoinTable() tags!: Tag[];
  @OneToMany(() => Comment, ({ article }) => article, { cascade: true })
  comments!: Relation<Comment>[];
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
@Webhooks<Comment>({ payload: ({ id }) => id })
@WebhookEvent<Comment>('comment.created', { on: 'create' })
@WebhookEvent<Comment>('comment.removed', { on: 'delete' })
class Comment {
  @PrimaryColumn() id!: number;
  @ManyToOne(() => Article, ({ comments }) => comments, { onDelete: 'CASCADE' })
  article!: Relation<Article>;
}

@Entity()
@WebhookEvent<Profile>('profile.changed', { on: 'change', payload: ({ id }) => id })
class Profile {
  @PrimaryColumn() id!: number;
  @OneToOne(() => Author, ({ profile }) => profile, { nullable: true, onDelete: 'SET NULL' })
  @JoinColumn()
  author!: Relation<Author> | null;
}

@Entity()
@WebhookEvent<Entry>('entry.created', { on: 'create', payload: ({ value }) => value })
@WebhookEvent<Entry>('entry.removed', { on: 'delete', payload: ({ value }) => value })
class Entry {
  @PrimaryGeneratedColumn() id!: number;
  @Column() value!: number;
}

const ENTITIES = [Author, Tag, Article, Comment, Profile, Entry];

interface Write {
  readonly name: string;
  /** Given rows 1 and 2 of everything: article 1 is of author 1, has tag 1 and comment 1; profile 1 is of author 1. */
  readonly write: (manager: EntityManager) => Promise<unknown>;
  /** The events that are sent, with the ids of their rows, of an entry with its value. */
  readonly sends: readonly string[];
  /** Those that are sent where triggers report the changes. Default: the same. */
  readonly reported?: readonly string[] | Readonly<Record<CaptureDatabase, readonly string[]>>;
}

interface DocumentedRow {
  /** The second column of the guide's table. */
  readonly seen: string;
  /** The third one. */
  readonly byTriggers: string;
  readonly writes: readonly Write[];
}

const write = (name: string, run: Write['write'], ...sends: string[]): Write => ({
  name,
  write: run,
  sends,
});

/** A write that triggers tell otherwise than hooks. */
const reported = (one: Write, sends: Required<Write>['reported']): Write => ({
  ...one,
  reported: sends,
});

const article = (manager: EntityManager, id = 1, relations: readonly string[] = []) =>
  manager.findOneOrFail(Article, {
    where: { id },
    relations: Object.fromEntries(relations.map((relation) => [relation, true])),
    withDeleted: true,
  });

const builder = (manager: EntityManager) => manager.createQueryBuilder();

/** Where the foreign keys of the database fire triggers. */
const byKeys = (sends: readonly string[]) => ({ postgres: sends, sqlite: sends });
const CASCADED = byKeys(['removed 1', 'comment.removed 1']);
const RELEASED = byKeys(['changed 1', 'profile.changed 1']);

/** By the first column of the table in `docs/events/writes.md`. */
const ROWS: Readonly<Record<string, DocumentedRow>> = {
  '`save`, `remove`, `softRemove`, `recover`, with cascades': {
    seen: 'yes',
    byTriggers: 'the same',
    writes: [
      write('save()', (manager) => manager.save(Article, { id: 3 }), 'created 3'),
      write(
        'save() of a change',
        (manager) => manager.save(Article, { id: 1, views: 5 }),
        'changed 1',
      ),
      write(
        'save() with a cascade',
        (manager) => manager.save(Article, { id: 3, comments: [{ id: 3 }] }),
        ...['created 3', 'comment.created 3'],
      ),
      write('remove()', async (manager) => manager.remove(await article(manager, 2)), 'removed 2'),
      write(
        'softRemove()',
        async (manager) => manager.softRemove(await article(manager)),
        'removed 1',
      ),
      reported(
        write(
          'recover()',
          async (manager) => {
            await builder(manager).softDelete().from(Article).callListeners(false).execute();
            await manager.recover(await article(manager));
          },
          'created 1',
        ),
        ['removed 1', 'removed 2', 'created 1'],
      ),
    ],
  },
  '`save` of a row with a changed list of others, or a changed one-to-one relation': {
    seen: 'yes, as changes of the others',
    byTriggers: 'the same',
    writes: [
      write(
        'save() with another list',
        (manager) => manager.save(Author, { id: 1, articles: [{ id: 2 }] }),
        ...['changed 1', 'changed 2'],
      ),
      write(
        'save() with another one-to-one relation',
        (manager) => manager.save(Author, { id: 2, profile: { id: 2 } }),
        'profile.changed 2',
      ),
    ],
  },
  "`insert`, `upsert`; a query builder's `insert()`, `orIgnore()`, `orUpdate()`": {
    seen: 'yes; `upsert` tells created rows from changed ones',
    byTriggers: 'the same',
    writes: [
      write('insert()', (manager) => manager.insert(Article, { id: 3 }), 'created 3'),
      write(
        'upsert()',
        (manager) => manager.upsert(Article, [{ id: 1, views: 5 }, { id: 3 }], ['id']),
        ...['changed 1', 'created 3'],
      ),
      write(
        "a query builder's insert()",
        (manager) => builder(manager).insert().into(Article).values({ id: 3 }).execute(),
        'created 3',
      ),
      write(
        'orIgnore()',
        (manager) =>
          builder(manager)
            .insert()
            .into(Article)
            .values([{ id: 1, views: 5 }, { id: 3 }])
            .orIgnore()
            .execute(),
        'created 3',
      ),
      write(
        'orUpdate()',
        (manager) =>
          builder(manager)
            .insert()
            .into(Article)
            .values([
              { id: 1, views: 5 },
              { id: 3, views: 5 },
            ])
            .orUpdate(['views'], ['id'])
            .execute(),
        ...['changed 1', 'created 3'],
      ),
    ],
  },
  "`update`, `updateAll`, `increment`, `decrement`; a query builder's `update()`": {
    seen: 'yes, SQL expressions in `set` too',
    byTriggers: 'the same',
    writes: [
      write('update()', (manager) => manager.update(Article, { id: 1 }, { views: 5 }), 'changed 1'),
      write(
        'updateAll()',
        (manager) => manager.updateAll(Article, { views: 5 }),
        ...['changed 1', 'changed 2'],
      ),
      write(
        'increment()',
        (manager) => manager.increment(Article, { id: 1 }, 'views', 1),
        'changed 1',
      ),
      write(
        'decrement()',
        (manager) => manager.decrement(Article, { id: 1 }, 'views', 1),
        'changed 1',
      ),
      write(
        "a query builder's update()",
        (manager) =>
          builder(manager)
            .update(Article)
            .set({ views: () => 'views + 1' })
            .where('id = :id', { id: 2 })
            .execute(),
        'changed 2',
      ),
    ],
  },
  "`delete`, `deleteAll`, `softDelete`, `restore`; a query builder's `delete()`, `softDelete()`, `restore()`":
    {
      seen: 'yes',
      byTriggers: 'the same',
      writes: [
        write('delete()', (manager) => manager.delete(Article, { id: 2 }), 'removed 2'),
        write(
          'deleteAll()',
          (manager) => manager.deleteAll(Entry),
          'entry.removed 1',
          'entry.removed 2',
        ),
        write('softDelete()', (manager) => manager.softDelete(Article, { id: 1 }), 'removed 1'),
        reported(
          write(
            'restore()',
            async (manager) => {
              await builder(manager).softDelete().from(Article).callListeners(false).execute();
              await manager.restore(Article, { id: 1 });
            },
            'created 1',
          ),
          ['removed 1', 'removed 2', 'created 1'],
        ),
        write(
          "a query builder's delete()",
          (manager) => builder(manager).delete().from(Entry).where('value > 0').execute(),
          ...['entry.removed 1', 'entry.removed 2'],
        ),
        write(
          "a query builder's softDelete()",
          (manager) => builder(manager).softDelete().from(Article).where('id = 2').execute(),
          'removed 2',
        ),
        reported(
          write(
            "a query builder's restore()",
            async (manager) => {
              await builder(manager).softDelete().from(Article).callListeners(false).execute();
              await builder(manager).restore().from(Article).where('id = 2').execute();
            },
            'created 2',
          ),
          ['removed 1', 'removed 2', 'created 2'],
        ),
      ],
    },
  '`relation(…).set()`, `add()`, `remove()` where a row of an entity holds the key': {
    seen: 'yes, as a change of that row',
    byTriggers: 'the same',
    writes: [
      write(
        'set()',
        (manager) => builder(manager).relation(Article, 'author').of(2).set(1),
        'changed 2',
      ),
      write(
        'add()',
        (manager) => builder(manager).relation(Author, 'articles').of(1).add(2),
        'changed 2',
      ),
      write(
        'remove()',
        (manager) => builder(manager).relation(Author, 'articles').of(1).remove(1),
        'changed 1',
      ),
    ],
  },
  '`relation(…).add()`, `remove()` of a many-to-many relation': {
    seen: 'yes',
    byTriggers: 'the same',
    writes: [
      write(
        'add()',
        (manager) => builder(manager).relation(Article, 'tags').of(2).add(1),
        'tagged 2',
      ),
      write(
        'remove()',
        (manager) => builder(manager).relation(Article, 'tags').of(1).remove(1),
        'untagged 1',
      ),
    ],
  },
  '`clear()`; an insert `valuesFromSelect()`': {
    seen: "no: the log warns of it, or `bulk: 'throw'` refuses it",
    byTriggers: 'yes, but `clear()` on PostgreSQL and MariaDB',
    writes: [
      reported(
        write('clear()', (manager) => manager.clear(Entry)),
        {
          ...{ postgres: [], mariadb: [] },
          sqlite: ['entry.removed 1', 'entry.removed 2'],
        },
      ),
      // TypeORM 0.3 has no such method.
      ...('valuesFromSelect' in InsertQueryBuilder.prototype
        ? [
            reported(
              write('valuesFromSelect()', (manager) =>
                builder(manager)
                  .insert()
                  .into(Entry, ['value'])
                  .valuesFromSelect((query) => query.select('author.id').from(Author, 'author'))
                  .execute(),
              ),
              ['entry.created 1', 'entry.created 2'],
            ),
          ]
        : []),
    ],
  },
  '`save(…, { reload: false })` of a row whose id the database makes': {
    seen: 'no, likewise',
    byTriggers: 'yes',
    writes: [
      reported(
        write('save()', (manager) => manager.save(Entry, { value: 1 }, { reload: false })),
        ['entry.created 1'],
      ),
    ],
  },
  '`save(…, { listeners: false })`, `callListeners(false)`': {
    seen: 'no: that is what they are for',
    byTriggers: 'yes',
    writes: [
      reported(
        write('save()', (manager) => manager.save(Article, { id: 3 }, { listeners: false })),
        ['created 3'],
      ),
      reported(
        write('callListeners(false)', (manager) =>
          builder(manager).update(Article).set({ views: 5 }).callListeners(false).execute(),
        ),
        ['changed 1', 'changed 2'],
      ),
    ],
  },
  '`ON DELETE CASCADE` and `SET NULL` of the database': {
    seen: 'no',
    byTriggers: 'yes, but on MariaDB',
    writes: [
      reported(
        write('CASCADE', (manager) => manager.delete(Article, { id: 1 }), 'removed 1'),
        { ...CASCADED, mariadb: ['removed 1'] },
      ),
      reported(
        write('SET NULL', (manager) => manager.delete(Author, { id: 1 })),
        { ...RELEASED, mariadb: [] },
      ),
    ],
  },
  '`query()`, triggers, other programs': {
    seen: 'no: send with `sendFor()`, or use [triggers](tables.md)',
    byTriggers: 'yes, but `TRUNCATE`',
    writes: [
      reported(
        write('query()', (manager) => manager.query('UPDATE article SET views = 5')),
        ['changed 1', 'changed 2'],
      ),
    ],
  },
};

it('names every row of the table in the guide', () => {
  const text = readFileSync('docs/events/writes.md', 'utf8');
  const table = text.matchAll(/^\| (.+?) +\| (.+?) +\| (.+?) +\|$/gm);
  const [, , ...rows] = Array.from(table, ([, ...cells]) => cells);
  expect(rows).toEqual(
    Object.entries(ROWS).map(([named, { seen, byTriggers }]) => [named, seen, byTriggers]),
  );
});

async function refill({ dataSource, strategy }: CaptureApp): Promise<void> {
  for (const entity of [Comment, Profile, Article, Entry, Tag, Author]) {
    await builder(dataSource.manager).delete().from(entity).callListeners(false).execute();
  }
  const rows: readonly [new () => object, object[]][] = [
    [Author, [{ id: 1 }, { id: 2 }]],
    [Tag, [{ id: 1 }]],
    [Article, [{ id: 1, author: { id: 1 } }, { id: 2 }]],
    [Comment, [{ id: 1, article: { id: 1 } }]],
    [Profile, [{ id: 1, author: { id: 1 } }, { id: 2 }]],
    [Entry, [{ value: 1 }, { value: 2 }]],
  ];
  for (const [entity, values] of rows) {
    const insert = builder(dataSource.manager).insert().into(entity).values(values);
    await insert.callListeners(false).execute();
  }
  await builder(dataSource.manager).relation(Article, 'tags').of(1).add(1);
  strategy.released.length = 0;
}

function sentOf(messages: readonly Message[]): string[] {
  return messages.map(({ event, json }) => {
    const { data } = JSON.parse(json.toString()) as { data: number };
    return `${event} ${data}`;
  });
}

describe.each(CAPTURE_DATABASES)('a write of the table in the guide, on %s', (kind) => {
  const warn = vi.spyOn(Logger.prototype, 'warn');
  let app: CaptureApp;
  let strict: CaptureApp;

  beforeAll(async () => {
    app = await openCaptureApp(kind, ENTITIES);
    strict = await openCaptureApp(kind, ENTITIES, { bulk: 'throw' });
  });
  afterAll(() => Promise.all([app, strict].map((each) => each.close())));
  beforeEach(() => void warn.mockReset().mockImplementation(() => undefined));

  /** The events of a write to fresh rows, with what their payloads say. */
  async function sentBy(target: CaptureApp, run: Write['write']) {
    await refill(target);
    await run(target.dataSource.manager);
    return sentOf(target.strategy.released);
  }

  const cases = Object.entries(ROWS).flatMap(([row, { seen, writes }]) =>
    writes.map((one) => [row, one.name, seen, one] as const),
  );
  it.each(cases)('%s: %s', async (_, _name, seen, { write: run, sends }) => {
    expect((await sentBy(app, run)).sort()).toEqual([...sends].sort());
    const warns = seen.startsWith('no: the log') || seen === 'no, likewise';
    expect(warn).toHaveBeenCalledTimes(warns ? 1 : 0);
    if (!warns) return;
    await refill(strict);
    await expect(run(strict.dataSource.manager)).rejects.toMatchObject({
      code: 'THORN_BULK_WRITE',
    });
  });
});

describe.each(CAPTURE_DATABASES)('a write that triggers report, on %s', (kind) => {
  let app: CaptureApp;
  let tables: ReportedEntities;
  let take: () => Promise<readonly ReportedChange[]>;

  beforeAll(async () => {
    app = await openCaptureApp(kind, ENTITIES, { capture: 'triggers' });
    tables = new ReportedEntities(app.capture);
    take = await reportChanges(app.dataSource, tables);
  });
  afterAll(() => app.close());

  it('is of the tables of entities with events, and of their links', () => {
    expect(tables.tables.map(({ name }) => name).sort()).toEqual([
      ...['article', 'article_tags_tag', 'comment', 'entry', 'profile'],
    ]);
  });

  const cases = Object.entries(ROWS).flatMap(([row, { writes }]) =>
    writes.map((one) => [row, one.name, one] as const),
  );
  it.each(cases)('%s: %s', async (_, _name, { write: run, sends, reported: by = sends }) => {
    await refill(app);
    await take();
    await run(app.dataSource.manager);
    const messages = await tables.messagesOf(await take());
    const expected = Array.isArray(by) ? by : (by as Record<CaptureDatabase, string[]>)[kind];

    expect(sentOf(messages).sort()).toEqual([...expected].sort());
    expect(app.strategy.released).toEqual([]);
  });
});
