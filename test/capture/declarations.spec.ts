import { Logger } from '@nestjs/common';
import {
  AfterLoad,
  ChildEntity,
  Column,
  DataSource,
  Entity,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  TableInheritance,
} from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CapturedEntityMessageSource } from '../../lib/typeorm/sources/captured-entity-message-source.js';
import { createClient } from '../../lib/typeorm/sources/typeorm-sources.js';
import { EntityCapture } from '../../lib/typeorm/hooks/entity-capture.js';
import { WebhookEvent } from '../../lib/capture/index.js';
import type { EntityEventOptions } from '../../lib/event/index.js';
import { openCaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

class Address {
  @Column() city!: string;
  @Column() street!: string;
}

@Entity()
class Writer {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

@Entity()
class Label {
  @PrimaryGeneratedColumn() id!: number;
}

@Entity()
class Shelf {
  @PrimaryColumn() room!: string;
  @PrimaryColumn() row!: number;
  @Column() label!: string;
}

/** An entity of its own for each declaration, as its author would write it. */
function entityWith(name: string, options: object) {
  @Entity()
  @WebhookEvent<Story>(name, options as unknown as EntityEventOptions<Story>)
  class Story {
    @PrimaryGeneratedColumn() id!: number;
    @Column() title!: string;
    @Column({ type: 'simple-json', nullable: true }) extra!: { slug: string };
    @Column(() => Address) place!: Address;
    @ManyToOne(() => Writer) author!: Writer;
    @ManyToOne(() => Shelf) shelf!: Shelf;
    @ManyToMany(() => Label) @JoinTable() labels!: Label[];

    get slug(): string {
      return this.title;
    }
  }
  return Story;
}

async function startWith(name: string, options: object): Promise<void> {
  const story = entityWith(name, { on: 'create', ...options });
  const dataSource = new DataSource({
    type: 'better-sqlite3',
    database: ':memory:',
    entities: [story, Writer, Label, Shelf],
  });
  await dataSource.initialize();
  try {
    const capture = new EntityCapture(await createClient(dataSource), {} as never);
    capture.attach();
    capture.detach();
  } finally {
    await dataSource.destroy();
  }
}

const FIELDS = 'Its fields: id, title, extra, place, author, shelf, labels';

describe('rejects a path that leads nowhere, at start-up', () => {
  it.each<[name: string, options: object, message: string]>([
    [
      'story.created',
      { ref: '/a/{url}' },
      `Story, event story.created: ref names url, but url is not a field of Story. ${FIELDS}`,
    ],
    [
      'story.{url}.created',
      {},
      `Story, event story.{url}.created: the name names url, but url is not a field of Story. ${FIELDS}`,
    ],
    [
      'story.created',
      { owner: 'writer.id' },
      `Story, event story.created: owner names writer.id, but writer is not a field of Story. ${FIELDS}`,
    ],
    [
      'story.created',
      { owner: 'author.nick' },
      'nick is not a field of Writer. Its fields: id, name',
    ],
    [
      'story.created',
      { ref: '/{place.zip}' },
      'zip is not a field of place. Its fields: city, street',
    ],
    [
      'story.created',
      { owner: 'author' },
      'author is a whole object. Name one of its fields: id, name',
    ],
    [
      'story.created',
      { ref: '/{labels.id}' },
      'labels leads to many rows; write a function instead',
    ],
    ['story.created', { ref: '/{title.length}' }, 'title is a column without fields of its own'],
    ['story.{slug}.created', {}, 'slug is not a field of Story'],
    [
      'story.created',
      { relations: ['editor'] },
      'relations names editor, which is not a relation of Story. Its relations: author, shelf, labels',
    ],
    [
      'story.edited',
      { on: { change: ['titel'] } },
      `Story, event story.edited: on names titel, which is not a field of Story. Its fields: id, title, extra, place, author, shelf`,
    ],
    [
      'story.edited',
      { on: ['create', { change: ['title', 'labels'] }] },
      'on names labels, whose key is not in the rows of Story. Its fields: id, title, extra, place, author, shelf',
    ],
    [
      'story.edited',
      { on: 'change', when: { changes: { titel: { to: 'x' } } } },
      'changes.titel is not a field of the row. Valid fields: id, title, extra, place, author, shelf',
    ],
    [
      'story.edited',
      { on: 'change', when: { changes: { title: { after: 'x' } } } },
      'changes.title.after is not a field of the row. Valid fields: from, to',
    ],
    ...(['from', 'to'] as const).flatMap((side): [string, object, string][] => [
      [
        'story.edited',
        { on: 'change', when: { changes: { author: { [side]: { eqq: 1 } } } } },
        `changes.author.${side}.eqq is not an operator; the operators are eq, ne,`,
      ],
      [
        'story.edited',
        { on: 'change', when: { changes: { author: { [side]: { id: 1 } } } } },
        `changes.author.${side}.id is not an operator`,
      ],
      [
        'story.edited',
        { on: 'change', when: { changes: { shelf: { [side]: { label: 'A' } } } } },
        `changes.shelf.${side}.label is not a field of the row. Valid fields: room, row`,
      ],
      [
        'story.edited',
        { on: 'change', when: { changes: { shelf: { [side]: { row: { eqq: 1 } } } } } },
        `changes.shelf.${side}.row.eqq is not an operator`,
      ],
      [
        'story.edited',
        { on: 'change', when: { changes: { place: { [side]: { town: 'A' } } } } },
        `changes.place.${side}.town is not a field of the row. Valid fields: city, street`,
      ],
    ]),
    [
      'story.created',
      { when: { titel: 'x' } },
      `titel is not a field of the row. Valid fields: id, title, extra, place, author, shelf, labels`,
    ],
    [
      'story.created',
      { when: { author: { nick: 'x' } } },
      'author.nick is not a field of the row. Valid fields: id, name',
    ],
  ])('%s with %j', async (name, options, message) => {
    const kind = 'when' in options ? 'CONDITION' : 'DECLARATION';
    const start = startWith(name, options);
    await expect(start).rejects.toThrow(message);
    await expect(start).rejects.toMatchObject({ code: `THORN_${kind}_INVALID` });
  });

  it.each<[name: string, options: object]>([
    ['story.created', { ref: '/{author.name}/{place.city}/{slug}/{extra.slug}' }],
    ['story.{title}.{author.id}', { owner: 'author.id' }],
    [
      'story.moved',
      {
        on: 'change',
        when: {
          changes: {
            author: { from: { gt: 1 }, to: { isNot: null } },
            shelf: { from: { room: 'A', row: { in: [1, 2] } }, to: null },
            place: { to: { city: { startsWith: 'L' } } },
            extra: { to: { slug: { any: 'x' } } },
          },
        },
      },
    ],
  ])('accepts a path that rows have: %s with %j', async (name, options) => {
    await expect(startWith(name, options)).resolves.toBeUndefined();
  });

  it('accepts a property that a listener adds to a loaded row', async () => {
    @Entity()
    @WebhookEvent<Loaded>('loaded.created', { on: 'create', owner: 'key' })
    class Loaded {
      @PrimaryGeneratedColumn() id!: number;
      key!: string;

      @AfterLoad()
      fill(): void {
        this.key = `k${this.id}`;
      }
    }
    const app = await openCaptureApp('sqlite', [Loaded]);
    await app.dataSource.manager.save(Object.assign(new Loaded()));
    expect(app.bodies()).toMatchObject([{ owner: 'k1' }]);
    await app.close();
  });
});

describe('deletions of subclasses in one table', () => {
  @Entity()
  class Depot {
    @PrimaryColumn() id!: number;
  }

  it.each([
    ['delete', true],
    ['soft-delete', true],
    ['nullify', false],
  ] as const)(
    'are refused at start-up where a relation removes rows: %s, %s',
    async (orphanedRowAction, isRefused) => {
      @Entity()
      @TableInheritance({ column: { type: 'varchar', name: 'kind' } })
      class Base {
        @PrimaryColumn() id!: number;
        @ManyToOne(() => Depot, { orphanedRowAction }) depot!: Depot;
      }
      @ChildEntity()
      @WebhookEvent<Car>('car.gone', { on: 'delete' })
      class Car extends Base {}
      const opened = openCaptureApp('sqlite', [Depot, Base, Car]);
      if (!isRefused) return (await opened).close();
      await expect(opened).rejects.toMatchObject({
        code: 'THORN_DECLARATION_INVALID',
        message: expect.stringMatching(
          /^Car, event car\.gone: Base\.depot .*Set orphanedRowAction: 'nullify'/,
        ) as unknown,
      });
    },
  );
});

@Entity()
@WebhookEvent<Note>('note.saved', {
  on: ['create', 'change'],
  payload: ({ text }, { on }) => ({ text, on }),
})
@WebhookEvent<Note>('note.listed', { on: 'create', payload: () => ({ listed: true }) })
@WebhookEvent<Note>('note.listed', {
  on: ['change', { added: 'labels' }],
  when: { text: 'public' },
  payload: (_, { on }) => ({ listed: true, on }),
})
@WebhookEvent<Note>('note.listed', { on: 'delete', payload: () => ({ listed: false }) })
class Note {
  @PrimaryGeneratedColumn() id!: number;
  @Column() text!: string;
  @ManyToMany(() => Label) @JoinTable() labels!: Label[];
}

describe.each(DATABASES_ALIKE)('an event with several triggers, on %s', (kind) => {
  afterEach(() => void vi.restoreAllMocks());

  it('is sent once for each trigger, as its own decorator says', async () => {
    const app = await openCaptureApp(kind, [Note, Label]);
    const { manager } = app.dataSource;
    const note = await manager.save(Object.assign(new Note(), { text: 'private' }));
    expect(app.received()).toEqual([
      'note.saved {"text":"private","on":"create"}',
      'note.listed {"listed":true}',
    ]);
    await manager.save(Note, { id: note.id, text: 'hidden' });
    expect(app.received()).toEqual(['note.saved {"text":"hidden","on":"change"}']);
    await manager.save(Note, { id: note.id, text: 'public' });
    expect(app.received()).toEqual([
      'note.saved {"text":"public","on":"change"}',
      'note.listed {"listed":true,"on":"change"}',
    ]);
    const label = await manager.save(new Label());
    await manager.save(Note, { id: note.id, labels: [label] });
    expect(app.received()).toEqual(['note.listed {"listed":true,"on":"added"}']);
    await manager.remove(await manager.findOneByOrFail(Note, { id: note.id }));
    expect(app.received()).toEqual(['note.listed {"listed":false}']);
    await app.close();
  });

  it('is sent by hand as the first declaration whose condition holds', async () => {
    const app = await openCaptureApp(kind, [Note, Label]);
    const note = await app.dataSource.manager.save(Object.assign(new Note(), { text: 'x' }));
    const source = new CapturedEntityMessageSource([app.capture]);
    const message = await source.messageOf(note, 'note.listed', undefined);
    expect(JSON.parse(message!.json.toString())).toMatchObject({ data: { listed: true } });
    await app.close();
  });

  it('warns of clear(), which does not say which rows it removes', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const app = await openCaptureApp(kind, [Writer, Label, Gone]);
    await app.dataSource.getRepository(Gone).clear();
    await app.dataSource.getRepository(Writer).clear();
    expect(warn.mock.calls.map(([line]) => String(line))).toEqual([
      expect.stringMatching(/^Gone: clear does not say which rows it changed, so gone\.removed /),
    ]);
    await app.dataSource.manager.save(Gone, {});
    await app.dataSource.createQueryBuilder().delete().from(Gone).execute();
    expect(warn.mock.calls).toHaveLength(1);
    expect(app.received()).toEqual(['gone.removed {}']);
    await app.close();
    const strict = await openCaptureApp(kind, [Gone], { bulk: 'throw' });
    await strict.dataSource.manager.save(Gone, {});
    await expect(strict.dataSource.getRepository(Gone).clear()).rejects.toMatchObject({
      code: 'THORN_BULK_WRITE',
    });
    expect(await strict.dataSource.manager.count(Gone)).toBe(1);
    await strict.close();
  });

  it('compares a decimal column that is a string in TypeScript with a number', async () => {
    const app = await openCaptureApp(kind, [Priced]);
    const { manager } = app.dataSource;
    await manager.save(Priced, { price: '9.50' });
    await manager.save(Priced, { price: '10.50' });
    await manager.save(Priced, { price: '100.00' });
    expect(app.received()).toEqual([
      'priced.created {"price":10.5}',
      'priced.created {"price":100}',
    ]);
    await app.close();
  });
});

@Entity()
@WebhookEvent<Gone>('gone.removed', { on: 'delete' })
class Gone {
  @PrimaryGeneratedColumn() id!: number;
}

@Entity()
@WebhookEvent<Priced>('priced.created', {
  on: 'create',
  when: { price: { gt: 10, lte: 100n } },
  payload: ({ price }) => ({ price: Number(price) }),
})
class Priced {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'decimal', precision: 8, scale: 2 }) price!: string;
}
