import { Logger } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  Column,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  IsNull,
  JoinTable,
  ManyToMany,
  Not,
  PrimaryColumn,
} from 'typeorm';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/index.js';
import { blogDatabases } from '../support/apps/blog.js';
import { useRunningBlog } from '../support/apps/running-blog.js';

@Entity()
class Place {
  @PrimaryColumn() id!: number;
}

@Entity()
@Webhooks<Draft>({
  bulkLimit: 2,
  bulkOverflow: 'warn',
  payload: ({ name, state }) => `${name} ${state}`,
})
@WebhookEvent<Draft>('draft.changed', { on: 'change' })
@WebhookEvent<Draft>('draft.went.live', { on: 'change', when: { state: { nowEq: 'live' } } })
@WebhookEvent<Draft>('draft.removed', { on: 'delete' })
@WebhookEvent<Draft>('draft.gone', { on: 'delete' })
@WebhookEvent<Draft>('draft.back', { on: 'create' })
class Draft {
  @PrimaryColumn() shelf!: string;
  @PrimaryColumn() name!: string;
  @Column({ default: 'draft' }) state!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
@WebhookEvent<Visitor>('draft.unseen', { on: { removed: 'places' } })
class Visitor {
  @PrimaryColumn() id!: number;
  @ManyToMany(() => Place)
  @JoinTable()
  places!: Place[];
}

@Entity()
@Webhooks<Spot>({ bulkLimit: 2, bulkOverflow: 'warn' })
@WebhookEvent<Spot>('draft.spot', { on: 'delete' })
class Spot {
  @PrimaryColumn() id!: number;
}

@Entity()
@WebhookEvent<Guest>('draft.left', { on: { removed: 'spots' } })
@WebhookEvent<Guest>('draft.met', { on: { added: 'spots' } })
class Guest {
  @PrimaryColumn() id!: number;
  @ManyToMany(() => Spot)
  @JoinTable()
  spots!: Spot[];
}

const WRITES: readonly [
  string,
  string,
  object,
  (manager: EntityManager, where: object) => unknown,
  string[],
][] = [
  [
    'an update of the column that its condition names',
    'update',
    { state: 'draft' },
    (manager, where) => manager.update(Draft, where, { state: 'live' }),
    ['b', 'c', 'd'].flatMap((name) => [
      `draft.changed ${name} live`,
      `draft.went.live ${name} live`,
    ]),
  ],
  [
    'a soft removal',
    'softDelete',
    { shelf: 's' },
    (manager, where) => manager.softDelete(Draft, where),
    ['a live', 'b draft', 'c draft', 'd draft'].flatMap((row) => [
      `draft.gone ${row}`,
      `draft.removed ${row}`,
    ]),
  ],
  [
    'a soft removal whose condition names the date of removal',
    'softDelete',
    { deletedAt: IsNull() },
    (manager, where) => manager.softDelete(Draft, where),
    ['a live', 'b draft', 'c draft', 'd draft'].flatMap((row) => [
      `draft.gone ${row}`,
      `draft.removed ${row}`,
    ]),
  ],
  [
    'a recovery',
    'restore',
    { deletedAt: Not(IsNull()) },
    (manager, where) => manager.restore(Draft, where),
    ['x', 'y', 'z'].map((name) => `draft.back ${name} old`),
  ],
  [
    'a recovery of rows that are partly there',
    'restore',
    { shelf: 's' },
    (manager, where) => manager.restore(Draft, where),
    ['x', 'y', 'z'].map((name) => `draft.back ${name} old`),
  ],
  [
    'a deletion',
    'delete',
    { state: 'draft' },
    (manager, where) => manager.delete(Draft, where),
    ['b draft', 'c draft', 'd draft'].flatMap((row) => [
      `draft.gone ${row}`,
      `draft.removed ${row}`,
    ]),
  ],
];

describe.each(blogDatabases)('the code for a write of too many rows, on %s', (type) => {
  const warn = vi.spyOn(Logger.prototype, 'warn');
  const blog = useRunningBlog(type, ['draft.*'], {}, [
    TypeOrmModule.forFeature([Draft, Place, Visitor, Spot, Guest]),
  ]);
  const manager = () => blog.dataSource.manager;
  const logged: string[] = [];

  beforeEach(async () => {
    await manager().query('DELETE FROM draft');
    const old = { state: 'old', deletedAt: new Date(0) };
    await manager()
      .createQueryBuilder()
      .insert()
      .into(Draft)
      .values([
        { shelf: 's', name: 'a', state: 'live' },
        ...['b', 'c', 'd'].map((name) => ({ shelf: 's', name })),
        ...['x', 'y', 'z'].map((name) => ({ shelf: 's', name, ...old })),
      ])
      .callListeners(false)
      .execute();
    warn.mockReset().mockImplementation(() => undefined);
  });

  const sent = () =>
    blog.receiver.requests
      .map((_, index) => blog.receiver.json(index))
      .map(({ type: event, data }) => `${event} ${String(data)}`)
      .sort();

  it.each(WRITES)(
    'works as it stands in the log: %s',
    async (_, operation, where, write, expected) => {
      // To read it: what it does is undone.
      await blog.dataSource
        .transaction(async (inner) => {
          await write(inner, where);
          throw new Error('undo');
        })
        .catch(() => undefined);
      // The same is not said twice.
      logged.push(...warn.mock.calls.flat().map(String));
      const text = logged.find((line) => line.startsWith(`Draft: ${operation} hits`)) ?? '';
      const code =
        /send by hand (?:before it: (?<before>.*?))?(?:(?:; )?after it: (?<after>.*))?$/.exec(text);
      const { before = '', after = '' } = code?.groups ?? {};
      expect(before + after).not.toBe('');
      // eslint-disable-next-line @typescript-eslint/no-implied-eval
      const run = new Function(
        ...['manager', 'dispatcher', 'where', 'Draft', 'write'],
        `return (async () => { ${before}; await write(); ${after}; })()`,
      ) as (...values: unknown[]) => Promise<void>;
      expect(blog.receiver.requests).toEqual([]);
      await run(manager(), blog.dispatcher, where, Draft, () => write(manager(), where));
      expect(sent()).toEqual([...expected].sort());
    },
  );

  it('names the events of rows that lose something with a deletion', async () => {
    await manager().save(Spot, [{ id: 1 }, { id: 2 }, { id: 3 }]);
    await manager().createQueryBuilder().delete().from(Spot).execute();
    expect(warn.mock.calls.flat()).toEqual([
      expect.stringMatching(/^Spot: delete hits .*, so draft\.spot, draft\.left is not sent/),
    ]);
  });
});
