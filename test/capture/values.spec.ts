import {
  Column,
  Entity,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';

/** An amount that keeps its cents to itself. */
class Money {
  readonly #cents: number;

  constructor(cents: number) {
    this.#cents = cents;
  }

  static readonly column = {
    from: (cents: number | null) => (cents === null ? null : new Money(cents)),
    to: (money: Money | null | undefined) => (money ? money.#cents : null),
  };

  toJSON(): number {
    return this.#cents;
  }
}

const trimmed = {
  from: (text: string | null) => text,
  to: (text: string | null | undefined) => text?.trim() ?? null,
};

/** One column for each type; each has an event that reads the row and one that makes nothing of it. */
abstract class Values {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar', nullable: true }) text!: unknown;
  @Column({ type: 'text', nullable: true }) long!: unknown;
  @Column({ type: 'int', nullable: true }) whole!: unknown;
  @Column({ type: 'bigint', nullable: true }) big!: unknown;
  @Column({ type: 'numeric', nullable: true }) exact!: unknown;
  @Column({ type: 'decimal', precision: 8, scale: 2, nullable: true }) price!: unknown;
  @Column({ type: 'date', nullable: true }) day!: unknown;
  @Column({ type: Date, nullable: true }) at!: unknown;
  @Column({ type: 'boolean', nullable: true }) flag!: unknown;
  @Column({ type: 'simple-enum', enum: ['a', 'b'], nullable: true }) choice!: unknown;
  @Column({ type: 'simple-array', nullable: true }) list!: unknown;
  @Column({ type: 'json', nullable: true }) json!: unknown;
  @Column({ type: 'simple-json', nullable: true }) simple!: unknown;
  @Column({ type: 'int', nullable: true, transformer: Money.column }) money!: unknown;
  @Column({ type: 'varchar', nullable: true, transformer: trimmed }) trimmed!: unknown;
  @Column({ type: 'varchar', nullable: true, update: false }) fixed!: unknown;
}

/** Columns that TypeORM keeps itself. */
@Entity()
@WebhookEvent<Kept>('kept.created', { on: 'create', payload: ({ id }) => ({ id }) })
@WebhookEvent<Kept>('kept.changed', {
  on: 'change',
  payload: ({ title }) => ({ title }),
})
class Kept {
  @PrimaryColumn({ type: 'uuid' }) id!: string;
  @Column({ default: '' }) title!: string;
  @UpdateDateColumn() updatedAt!: Date;
  @VersionColumn() version!: number;
}

@Entity()
@WebhookEvent('read.changed', { on: 'change', payload: (row: object) => row })
class Read extends Values {}

@Entity()
@WebhookEvent('blind.changed', { on: 'change' })
class Blind extends Values {}

type Field = Exclude<keyof Values, 'id'>;
type Case = readonly [field: Field, from: unknown, to: unknown];

const CHANGES: readonly Case[] = [
  ['text', 'a', 'b'],
  ['text', 'a', null],
  ['text', null, 'a'],
  ['text', '007', 7],
  ['long', '1.50', 1.5],
  ['whole', 1, 2],
  ['whole', 0, null],
  ['big', '1', '2'],
  ['big', 1, 2],
  ['exact', '1.5', '1.25'],
  ['price', '1.50', 2.5],
  ['day', '2026-01-01', '2026-01-02'],
  ['day', '2026-01-01', new Date('2026-01-01T00:00:00Z')],
  ['at', new Date(1_000), new Date(2_000)],
  ['flag', true, false],
  ['flag', false, null],
  ['choice', 'a', 'b'],
  ['list', ['a', 'b'], ['b', 'a']],
  ['list', ['1'], [2]],
  ['json', '5', 5],
  ['json', { a: 1 }, { a: 2 }],
  ['json', { a: 1 }, { a: '1' }],
  ['simple', '5', 5],
  ['simple', { a: [1] }, { a: [1, 2] }],
  ['money', new Money(1), new Money(2)],
  ['money', new Money(1), null],
  ['trimmed', 'a', ' b '],
];

/** What SQLite itself cannot keep apart. */
const POSTGRES_CHANGES: readonly Case[] = [
  ['big', '9007199254740993', 9_007_199_254_740_992],
  ['big', '9007199254740993', '9007199254740992'],
  ['exact', '0.10000000000000000001', 0.1],
  ['exact', '12345678901234567890.1', '12345678901234567890.2'],
];

const SAME: readonly Case[] = [
  ['text', '7', '7'],
  ['whole', 7, 7],
  ['whole', 7, '7'],
  ['big', '7', 7],
  ['big', '7', '7'],
  ['exact', '1.50', 1.5],
  ['price', '1.50', 1.5],
  ['price', 1.5, '1.500'],
  ['day', '2026-01-01', new Date('2026-01-01T05:00:00Z')],
  ['at', new Date(1_000), new Date(1_000)],
  ['flag', true, true],
  ['flag', null, null],
  ['choice', 'a', 'a'],
  ['list', ['a', 'b'], ['a', 'b']],
  ['list', ['1'], [1]],
  ['json', { a: 1, b: 2 }, { b: 2, a: 1 }],
  ['json', '5', '5'],
  ['simple', { a: [1] }, { a: [1] }],
  ['money', new Money(1), new Money(1)],
  ['trimmed', 'a', ' a '],
  ['fixed', 'a', 'b'],
];

describe.each(CAPTURE_DATABASES)('values of each type on %s', (kind) => {
  let rig: CaptureApp;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Read, Blind, Kept]);
  });
  afterAll(() => rig.close());
  beforeEach(() => {
    // West of Greenwich a day begins later than its date at midnight UTC.
    vi.stubEnv('TZ', 'America/New_York');
    rig.received();
  });
  afterEach(() => vi.unstubAllEnvs());

  const changes = {
    sqlite: CHANGES,
    postgres: [...CHANGES, ...POSTGRES_CHANGES],
    // TypeORM writes the text '5' as the number 5 there.
    mariadb: CHANGES.filter(([column, before]) => column !== 'json' || before !== '5'),
  }[kind];
  const stored = async (type: new () => Values, id: number): Promise<string> => {
    const table = rig.dataSource.getMetadata(type).tableName;
    const name = rig.dataSource.driver.escape(table);
    return JSON.stringify(await rig.dataSource.query(`SELECT * FROM ${name} WHERE id = ${id}`));
  };

  const UUID = 'abcdef00-0000-4000-8000-00000000000';

  it("sends no change when only TypeORM's own columns changed", async () => {
    const kept = rig.dataSource.getRepository(Kept);
    const { id, title, version } = await kept.save({ id: `${UUID}1`, title: 'T' });
    rig.received();
    await kept.save({ id, title, updatedAt: new Date('2030-01-01T00:00:00Z') });
    expect((await kept.findOneByOrFail({ id })).version).toBe(version + 1);
    await kept.save({ id, title, version: 7 });
    expect(rig.received()).toEqual([]);

    await kept.save({ id, title: 'U', version: 9 });
    expect(rig.received()).toEqual(['kept.changed {"title":"U"}']);
  });

  it('sends create for a uuid in upper or lower case', async () => {
    const id = `${UUID}2`.toUpperCase();
    await rig.dataSource.manager.save(Kept, { id, title: 'T' });
    const { id: now } = await rig.dataSource
      .getRepository(Kept)
      .findOneByOrFail({ id: kind === 'postgres' ? id.toLowerCase() : id });

    expect(rig.received()).toEqual([`kept.created {"id":"${now}"}`]);
  });

  describe.each([Read, Blind])('of %o', (type) => {
    const rows = () => rig.dataSource.getRepository<Values>(type);

    it.each(changes)('sends one change of %s from %j to %j', async (field, from, to) => {
      const { id } = await rows().save({ [field]: from });
      const before = await stored(type, id);
      await rows().save({ id, [field]: to });

      expect(await stored(type, id)).not.toBe(before);
      const bodies = rig.bodies();
      expect(bodies).toHaveLength(1);
      if (type === Read) {
        const row = await rows().findOneByOrFail({ id });
        expect(bodies[0]!.data).toEqual(JSON.parse(JSON.stringify(row)));
      }
    });

    it.each(changes)(
      'sends one change of %s from %j to %j among other writes',
      async (field, from, to) => {
        const { id } = await rows().save({ [field]: from });
        await rig.dataSource.transaction(async (manager) => {
          await manager.query('UPDATE blind SET id = id WHERE id = -1');
          await manager.save(type, { id, [field]: to });
        });

        expect(rig.bodies()).toHaveLength(1);
      },
    );

    it.each(SAME)('sends no change of %s from %j to %j', async (field, from, to) => {
      const { id } = await rows().save({ [field]: from });
      await rows().save({ id, [field]: to });

      expect(rig.received()).toEqual([]);
    });

    it.each(changes)('sends no change of %s from %j to %j and back', async (field, from, to) => {
      const { id } = await rows().save({ [field]: from });
      await rig.dataSource.transaction(async (manager) => {
        await manager.save(type, { id, [field]: to });
        await manager.save(type, { id, [field]: from });
      });

      expect(rig.received()).toEqual([]);
    });

    it.each(['json', 'simple'] as const)(
      'sends the saved value of %s although the object changes back before the commit',
      async (field) => {
        const row = await rows().save(rows().create({ [field]: { a: 1 } } as never));
        await rig.dataSource.transaction(async (manager) => {
          const value = (row as unknown as Values)[field] as { a: number };
          value.a = 2;
          await manager.save(type, row);
          value.a = 1;
        });

        expect(rig.bodies()).toHaveLength(1);
      },
    );
  });
});
