import { Logger } from '@nestjs/common';
import {
  Column,
  DataSource,
  DeleteDateColumn,
  Entity,
  In,
  PrimaryColumn,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { assertEntitiesKnown, unknownEntities } from '../../lib/typeorm/entities/entity-checks.js';
import { BulkWriteError } from '../../lib/typeorm/errors.js';
import { CapturedEntityMessageSource } from '../../lib/typeorm/sources/captured-entity-message-source.js';
import { createClient } from '../../lib/typeorm/sources/typeorm-sources.js';
import { EntityCapture } from '../../lib/typeorm/hooks/entity-capture.js';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { InvalidInputError, ThornConfigurationError } from '../../lib/errors/index.js';
import { openDataSource, openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
@Webhooks<Doc>({ payload: ({ slug, text }) => ({ slug, text }) })
@WebhookEvent<Doc>('doc.created', { on: 'create' })
@WebhookEvent<Doc>('doc.changed', { on: 'change' })
@WebhookEvent<Doc>('doc.removed', { on: 'delete' })
class Doc {
  @PrimaryColumn() slug!: string;
  @Column({ default: 'empty' }) text!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
@WebhookEvent<Counter>('counter.created', { on: 'create', payload: ({ id }) => ({ id }) })
class Counter {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: 0 }) value!: number;
}

@Entity()
@WebhookEvent<Owned>('owned.created', {
  on: 'create',
  payload: ({ id }) => ({ id }),
  owner: ({ by }) => Number(by),
  propagateErrors: true,
})
class Owned {
  @PrimaryGeneratedColumn() id!: number;
  @Column() by!: string;
}

@Entity()
@Webhooks<Picky>({ bulk: 'capture', bulkLimit: 1 })
@WebhookEvent<Picky>('picky.changed', { on: 'change' })
class Picky {
  @PrimaryColumn() id!: number;
  @Column({ default: 0 }) value!: number;
}

@Entity()
class Silent {
  @PrimaryGeneratedColumn() id!: number;
  @Column() value!: number;
}

describe.each(DATABASES_ALIKE)('writes outside of a transaction on %s', (kind) => {
  let rig: CaptureApp;
  const warn = vi.spyOn(Logger.prototype, 'warn');
  const warnings = () => warn.mock.calls.map(([text]) => String(text));

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Doc, Counter, Silent, Owned]);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    warn.mockReset().mockImplementation(() => undefined);
    await rig.dataSource.query('DELETE FROM doc');
    rig.received();
    rig.strategy.stagedBy.length = 0;
  });

  const docs = () => rig.dataSource.getRepository(Doc);

  it('gives insert() a transaction, and stages all rows of a statement together in it', async () => {
    await docs().insert([{ slug: 'a' }, { slug: 'b', text: 'B' }]);
    expect(rig.strategy.stagedBy).toEqual([
      expect.objectContaining({ client: expect.anything() as unknown }),
    ]);
    expect(rig.received()).toEqual([
      'doc.created {"slug":"a","text":"empty"}',
      'doc.created {"slug":"b","text":"B"}',
    ]);
    await rig.dataSource.getRepository(Counter).insert({ value: 1 });
    expect(rig.received()).toEqual([expect.stringMatching(/counter\.created \{"id":\d+\}/)]);
  });

  it('adds insert() to an open transaction', async () => {
    await rig.dataSource.transaction(async (manager) => {
      await manager.insert(Doc, { slug: 'a' });
      expect(rig.received()).toEqual([]);
    });
    expect(rig.received()).toEqual(['doc.created {"slug":"a","text":"empty"}']);
    await rig.dataSource
      .transaction(async (manager) => {
        await manager.insert(Doc, { slug: 'b' });
        throw new Error('no');
      })
      .catch(() => undefined);
    expect(rig.received()).toEqual([]);
  });

  it('sends save and remove without a transaction', async () => {
    await docs().save({ slug: 'a' }, { transaction: false });
    await docs().save({ slug: 'a', text: 'A' }, { transaction: false });
    await docs().remove(await docs().findOneByOrFail({ slug: 'a' }), { transaction: false });
    expect(rig.received()).toEqual([
      'doc.created {"slug":"a","text":"empty"}',
      'doc.changed {"slug":"a","text":"A"}',
      'doc.removed {"slug":"a","text":"A"}',
    ]);
  });

  it('warns once per entity and operation with bulk: warn, and names a call that works', async () => {
    const other = await openCaptureApp(kind, [Doc, Counter, Silent], { bulk: 'warn' });
    const repository = other.dataSource.getRepository(Doc);
    for (let round = 0; round < 2; round += 1) {
      await repository.upsert({ slug: 'a', text: 'A' }, ['slug']);
      await repository.update({ slug: 'a' }, { text: 'B' });
      await repository.softDelete({ slug: 'a' });
      await repository.restore({ slug: 'a' });
      await repository.delete({ slug: 'a' });
    }
    await other.dataSource.getRepository(Silent).update({ id: 1 }, { value: 2 });
    await other.dataSource.getRepository(Counter).increment({ id: 1 }, 'value', 1);
    expect(other.received()).toEqual([]);
    expect(warnings()).toEqual([
      expect.stringMatching(
        /^Doc: upsert .*doc\.created, doc\.changed .*call dispatcher\.sendFor\(\) after it$/,
      ),
      expect.stringMatching(
        /^Doc: update .*doc\.changed .*read its rows before it, and call dispatcher\.sendFor\(\) for each after it$/,
      ),
      expect.stringMatching(/^Doc: softDelete .*doc\.removed .*read its rows before it/),
      expect.stringMatching(/^Doc: restore .*doc\.created .*read its rows before it/),
      expect.stringMatching(
        /^Doc: delete .*doc\.removed .*call dispatcher\.sendFor\(\) before it$/,
      ),
    ]);
    await other.close();
  });

  it('rejects such writes before they are made with bulk: throw', async () => {
    const other = await openCaptureApp(kind, [Doc, Silent], { bulk: 'throw' });
    const repository = other.dataSource.getRepository(Doc);
    await repository.save({ slug: 'a', text: 'A' });
    for (const write of [
      () => repository.update({ slug: 'a' }, { text: 'B' }),
      () => repository.softDelete({ slug: 'a' }),
      () => repository.restore({ slug: 'a' }),
      () => repository.delete({ slug: 'a' }),
      () => repository.upsert({ slug: 'a', text: 'B' }, ['slug']),
    ]) {
      await expect(write()).rejects.toBeInstanceOf(BulkWriteError);
    }
    expect(await repository.findOneByOrFail({ slug: 'a' })).toMatchObject({ text: 'A' });
    await other.dataSource.getRepository(Silent).update({ id: 1 }, { value: 2 });
    await repository.remove(await repository.findOneByOrFail({ slug: 'a' }));
    expect(other.received()).toEqual([
      'doc.created {"slug":"a","text":"A"}',
      'doc.removed {"slug":"a","text":"A"}',
    ]);
    await other.close();
  });

  it('refuses a write of more rows than bulkLimit before it is made, or warns of it', async () => {
    const strict = await openCaptureApp(kind, [Doc], { bulkLimit: 2 });
    const rows = [{ slug: 'a' }, { slug: 'b' }, { slug: 'c' }];
    const texts = async ({ dataSource }: CaptureApp) =>
      (await dataSource.manager.find(Doc, { withDeleted: true })).map(({ text, deletedAt }) => [
        text,
        deletedAt,
      ]);
    await strict.dataSource.manager.insert(Doc, rows);
    const before = await texts(strict);
    strict.received();
    const { manager } = strict.dataSource;
    for (const [write, text] of [
      [
        () => manager.update(Doc, { text: 'empty' }, { text: 'B' }),
        /^Doc: update hits more than 2 rows .*doc\.changed .*raise bulkLimit.*read its rows before it/,
      ],
      [() => manager.softDelete(Doc, { text: 'empty' }), /read its rows before it/],
      [() => manager.delete(Doc, { text: 'empty' }), /sendFor\(\) before it/],
    ] as const) {
      await expect(write()).rejects.toThrow(text);
    }
    expect(await texts(strict)).toEqual(before);
    await manager.update(Doc, { slug: In(['a', 'b']) }, { text: 'B' });
    expect(strict.received()).toEqual([
      'doc.changed {"slug":"a","text":"B"}',
      'doc.changed {"slug":"b","text":"B"}',
    ]);
    await strict.close();

    const lenient = await openCaptureApp(kind, [Doc], { bulkLimit: 2, bulkOverflow: 'warn' });
    await lenient.dataSource.manager.insert(Doc, rows);
    lenient.received();
    await lenient.dataSource.manager.delete(Doc, { text: 'empty' });
    expect(await lenient.dataSource.manager.count(Doc)).toBe(0);
    expect(lenient.received()).toEqual([]);
    expect(warnings()).toEqual([
      expect.stringMatching(
        /^Doc: delete hits more than 2 rows .*so doc\.removed is not sent.*before it$/,
      ),
    ]);
    await lenient.close();
  });

  it('lets an entity say otherwise than the module', async () => {
    const other = await openCaptureApp(kind, [Doc, Picky], { bulk: 'throw' });
    await other.dataSource.manager.save(Picky, { id: 1 });
    await other.dataSource.manager.update(Picky, { id: 1 }, { value: 1 });
    expect(other.received()).toEqual(['picky.changed {}']);
    await other.dataSource.manager.save(Picky, { id: 2 });
    await expect(other.dataSource.manager.update(Picky, {}, { value: 2 })).rejects.toThrow(
      /Empty criteria/,
    );
    await expect(
      other.dataSource.manager.createQueryBuilder().update(Picky).set({ value: 2 }).execute(),
    ).rejects.toThrow(/more than 1 rows/);
    await other.close();
  });

  it('warns of a new row whose id it cannot know', async () => {
    await rig.dataSource.getRepository(Counter).save({ value: 1 }, { reload: false });
    expect(rig.received()).toEqual([]);
    expect(warnings()).toEqual([expect.stringMatching(/^Counter: save\(\{ reload: false \}\) /)]);
  });

  it('sends no event for save(…, { listeners: false })', async () => {
    await docs().save({ slug: 'a' }, { listeners: false });
    expect(rig.received()).toEqual([]);
  });

  it('loses no event of saves that run at the same time', async () => {
    const slugs = Array.from({ length: 20 }, (_, index) => `s${index}`);
    await Promise.all(slugs.map((slug) => docs().save({ slug })));
    expect(rig.received().sort()).toEqual(
      slugs.map((slug) => `doc.created {"slug":"${slug}","text":"empty"}`).sort(),
    );
  });

  it.each(['none', 'Infinity'])('rejects an invalid owner: %s', async (by) => {
    const save = rig.dataSource.manager.save(Owned, { by });
    await expect(save).rejects.toBeInstanceOf(InvalidInputError);
    await expect(save).rejects.toMatchObject({ field: 'owner' });
    await rig.dataSource.manager.save(Owned, { by: '7' });
    expect(rig.bodies()).toMatchObject([{ type: 'owned.created', owner: '7' }]);
  });

  it('explains how to send by hand for an object that save() makes of a literal', async () => {
    const saved = await docs().save({ slug: 'literal' });
    const events = new CapturedEntityMessageSource([rig.capture]);
    await expect(events.messageOf(saved, 'doc.created', undefined)).rejects.toThrow(
      /plain object.*Load the entity.*repository\.create\(\)/,
    );
    const loaded = await docs().findOneByOrFail({ slug: 'literal' });
    const message = await events.messageOf(loaded, 'doc.created', undefined);
    expect(message?.event).toBe('doc.created');
  });

  it('stops listening when detached', async () => {
    const before = [...rig.dataSource.subscribers];
    rig.capture.detach();
    await docs().save({ slug: 'a' });
    expect(rig.dataSource.subscribers).toEqual([]);
    rig.capture.attach();
    expect(rig.dataSource.subscribers.length).toBe(before.length);
    await docs().save({ slug: 'b' });
    expect(rig.received()).toEqual(['doc.created {"slug":"b","text":"empty"}']);
  });
});

describe('a data source that is initialised again', () => {
  it.each<[string, (rig: CaptureApp) => unknown]>([
    ['told to', ({ capture }) => capture.reattach()],
    [
      'a message is sent by hand in a transaction',
      ({ dataSource, transactions, factory }) =>
        dataSource.transaction(async (manager) => {
          expect(transactions.enlist(factory.create({ event: 'by.hand' }), manager)).toBe(true);
        }),
    ],
    [
      'an event is sent by hand',
      ({ capture, dataSource }) =>
        new CapturedEntityMessageSource([capture]).messageOf(
          dataSource.getRepository(Doc).create({ slug: 'a' }),
          'doc.created',
          undefined,
        ),
    ],
  ])('is captured again when %s, and the log says what was missed', async (_, use) => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReset();
    warn.mockImplementation(() => undefined);
    const rig = await openCaptureApp('sqlite', [Doc]);
    try {
      await rig.dataSource.destroy();
      await rig.dataSource.initialize();
      await rig.dataSource.manager.save(Doc, { slug: 'missed' });
      await use(rig);
      await use(rig);
      expect(warn.mock.calls).toEqual([[expect.stringMatching(/was initialised again.*sendFor/)]]);
      rig.received();
      await rig.dataSource.manager.save(Doc, { slug: 'b' });
      expect(rig.received()).toEqual(['doc.created {"slug":"b","text":"empty"}']);
    } finally {
      await rig.close();
    }
  });

  it('sends no event once it is no longer captured', async () => {
    const rig = await openCaptureApp('sqlite', [Doc]);
    rig.capture.detach();
    rig.capture.reattach();
    expect(rig.dataSource.subscribers).toEqual([]);
    await rig.close();
  });
});

describe('starting to capture', () => {
  it('requires an initialised data source', async () => {
    const dataSource = new DataSource({ type: 'better-sqlite3', database: ':memory:' });
    const capture = new EntityCapture(await createClient(dataSource), {} as never);
    expect(() => capture.attach()).toThrow(
      /better-sqlite3 :memory: is not initialised; call its initialize\(\)/,
    );
  });

  it('reports decorated classes that no data source knows', async () => {
    const { dataSource, close } = await openDataSource('sqlite', [Silent, Doc]);
    expect(unknownEntities([Silent, Doc, Counter], [dataSource])).toEqual([Counter]);
    expect(() => assertEntitiesKnown([Doc], [dataSource])).not.toThrow();
    expect(() => assertEntitiesKnown([Doc, Counter], [dataSource])).toThrow(
      /Counter declares webhook events \(counter\.created\), but no captured data source \(better-sqlite3 :memory:\)/,
    );
    await close();
  });

  it('rejects an event on a property that is not a relation', async () => {
    @Entity()
    @WebhookEvent<Wrong>('wrong.added', { on: { added: 'others' as never } })
    class Wrong {
      @PrimaryGeneratedColumn() id!: number;
      @Column() others!: string;
    }
    const { dataSource, close } = await openDataSource('sqlite', [Wrong]);
    const client = await createClient(dataSource);
    expect(() => new EntityCapture(client, {} as never).attach()).toThrow(ThornConfigurationError);
    await close();
  });
});
