import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';

@Entity()
@Webhooks<Page>({ payload: ({ id, slug, reads }) => ({ id, slug, reads }) })
@WebhookEvent<Page>('page.created', { on: 'create' })
@WebhookEvent<Page>('page.changed', { on: 'change' })
class Page {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar', length: 40, nullable: true, unique: true }) slug!: string | null;
  @Column({ default: 0 }) reads!: number;
}

@Entity()
@Webhooks<Draft>({ payload: ({ id, slug }) => ({ id, slug }) })
@WebhookEvent<Draft>('draft.created', { on: 'create' })
class Draft {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'varchar', length: 40, nullable: true, unique: true }) slug!: string | null;
}

/** Values of which one is there already, and the others conflict with nothing. */
const VALUES: Readonly<Record<string, readonly { slug: string | null; reads: number }[]>> = {
  'the known one first': [
    { slug: 'one', reads: 6 },
    { slug: null, reads: 5 },
    { slug: null, reads: 7 },
  ],
  'the known one between': [
    { slug: null, reads: 5 },
    { slug: 'one', reads: 6 },
    { slug: null, reads: 7 },
  ],
  'the known one last': [
    { slug: null, reads: 5 },
    { slug: null, reads: 7 },
    { slug: 'one', reads: 6 },
  ],
};

describe.each([...CAPTURE_DATABASES, 'mysql'] as const)(
  'rows without a unique value on %s',
  (kind) => {
    let rig: CaptureApp;
    const manager = () => rig.dataSource.manager;
    const insert = (entity: typeof Page | typeof Draft, values: readonly object[]) =>
      manager()
        .createQueryBuilder()
        .insert()
        .into<object>(entity)
        .values(values.map((row) => ({ ...row })));

    beforeAll(async () => {
      rig = await openCaptureApp(kind, [Page, Draft]);
    });
    afterAll(() => rig.close());
    beforeEach(async () => {
      for (const entity of [Page, Draft]) {
        await manager().createQueryBuilder().delete().from(entity).callListeners(false).execute();
        await insert(entity, [{ slug: 'one' }])
          .callListeners(false)
          .execute();
      }
      rig.received();
    });

    it('tells that values of an upsert were inserted later', async () => {
      const again = manager().create(Page, { slug: 'two' });
      await manager().upsert(Page, again, ['slug']);
      await manager().delete(Page, { slug: 'two' });
      rig.received();
      await manager().insert(Page, again);
      expect(rig.received()).toEqual([expect.stringContaining('page.created')]);
    });

    /** The messages that the rows of the table, which all but one are new, make. */
    const created = async () => {
      const rows = await manager().find(Page, { order: { id: 'ASC' } });
      return rows
        .filter(({ slug }) => slug !== 'one')
        .map(({ id, slug, reads }) => `page.created ${JSON.stringify({ id, slug, reads })}`);
    };

    describe.each(Object.entries(VALUES))('%s', (_, values) => {
      it('are told as created by orIgnore()', async () => {
        await insert(Page, values).orIgnore().execute();
        const expected = await created();
        expect(expected).toHaveLength(2);
        expect(rig.received().sort()).toEqual(expected.sort());
      });

      it('are told as created by orUpdate()', async () => {
        await insert(Page, values).orUpdate(['reads'], ['slug']).execute();
        const { id } = await manager().findOneByOrFail(Page, { slug: 'one' });
        const expected = await created();
        expect(expected).toHaveLength(2);
        expect(rig.received().sort()).toEqual(
          [...expected, `page.changed {"id":${id},"slug":"one","reads":6}`].sort(),
        );
      });

      it('are told as created by orIgnore(), with ids that do not count up', async () => {
        await insert(
          Draft,
          values.map(({ slug }) => ({ slug })),
        )
          .orIgnore()
          .execute();
        const rows = await manager().find(Draft);
        const expected = rows
          .filter(({ slug }) => slug === null)
          .map(({ id, slug }) => `draft.created ${JSON.stringify({ id, slug })}`);
        expect(expected).toHaveLength(2);
        expect(rig.received().sort()).toEqual(expected.sort());
      });
    });

    it('are told as created when the update of another is skipped', async () => {
      if (kind !== 'postgres') return;
      const values = [{ slug: 'one', reads: 0 }, { slug: null }, { slug: null }];
      await manager().upsert(Page, values, {
        conflictPaths: ['slug'],
        skipUpdateIfNoValuesChanged: true,
      });
      const expected = await created();
      expect(expected).toHaveLength(2);
      expect(rig.received().sort()).toEqual(expected.sort());
    });

    it('are told as created beside rows with ids', async () => {
      const { id } = await manager().findOneByOrFail(Page, { slug: 'one' });
      await insert(Page, [{ slug: null }, { id: id + 50, slug: 'two' }, { slug: null }])
        .orIgnore()
        .execute();
      const expected = await created();
      expect(expected).toHaveLength(3);
      expect(rig.received().sort()).toEqual(expected.sort());
    });

    it('are told by the id that TypeORM gives them', async () => {
      const { id } = await manager().findOneByOrFail(Page, { slug: 'one' });
      await manager().upsert(Page, { id, reads: 9 }, ['id']);
      const rows = await manager().find(Page, { order: { id: 'ASC' } });
      // TypeORM leaves a given id out on PostgreSQL, where the row is a new one.
      const [last] = rows.slice(-1);
      const name = kind === 'postgres' ? 'page.created' : 'page.changed';
      expect(rows).toHaveLength(kind === 'postgres' ? 2 : 1);
      expect(rig.received()).toEqual([
        `${name} ${JSON.stringify({ id: last!.id, slug: last!.slug, reads: 9 })}`,
      ]);
    });
  },
);
