import { Column, DeleteDateColumn, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { CAPTURE_DATABASES, type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { isWaiting } from '../support/apps/lock-waits.js';

abstract class Text {
  @PrimaryColumn() id!: number;
  @Column({ default: 'a' }) title!: string;
  @Column({ default: 'DRAFT' }) state!: string;
  @Column({ default: 'ada' }) holder!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
}

@Entity()
@Webhooks<Doc>({ owner: 'holder', payload: ({ title, state }) => ({ title, state }) })
@WebhookEvent<Doc>('doc.changed', { on: 'change' })
@WebhookEvent<Doc>('doc.removed', { on: 'delete' })
@WebhookEvent<Doc>('doc.back', { on: 'create' })
class Doc extends Text {}

/** No event needs its row. */
@Entity()
@WebhookEvent<Bare>('bare.changed', { on: 'change' })
@WebhookEvent<Bare>('bare.removed', { on: 'delete' })
class Bare extends Text {}

/** Compares the row with what it was before. */
@Entity()
@Webhooks<Page>({ payload: ({ title }) => title })
@WebhookEvent<Page>('page.published', { on: 'change', when: { state: { nowEq: 'PUBLISHED' } } })
@WebhookEvent<Page>('page.edited', {
  on: 'change',
  when: { changes: { title: { from: 'b' } } },
})
class Page extends Text {}

type AnyText = typeof Doc | typeof Bare | typeof Page;
const ENTITIES = [Doc, Bare, Page];

describe.each(CAPTURE_DATABASES)('rows that are written meanwhile, on %s', (kind) => {
  let rig: CaptureApp;
  const manager = () => rig.dataSource.manager;
  const rowOf = <Row extends Text>(of: new () => Row) =>
    manager().findOneByOrFail<Row>(of, { id: 1 } as never);

  beforeAll(async () => {
    rig = await openCaptureApp(kind, ENTITIES);
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    for (const of of ENTITIES) {
      await manager().query(`DELETE FROM ${of.name.toLowerCase()}`);
      await manager().insert(of, { id: 1 });
    }
    rig.received();
  });

  describe('by another save', () => {
    it('are sent with what both have written', async () => {
      for (let round = 0; round < 10; round++) {
        await Promise.all([
          manager().save(Doc, { id: 1, title: `t${round}` }),
          manager().save(Doc, { id: 1, state: `s${round}` }),
        ]);
        const last = JSON.stringify({ title: `t${round}`, state: `s${round}` });
        // Not always the last: whose commit the process hears of first is chance.
        expect(rig.received()).toContain(`doc.changed ${last}`);
      }
    });

    it.each([Doc, Bare])('are removed once: %o', async (of) => {
      const rows = [await rowOf<Text>(of), await rowOf<Text>(of)];
      await Promise.all(rows.map((row) => manager().remove(row)));
      expect(rig.received()).toHaveLength(1);
    });

    it.each([Doc, Bare])('are softly removed once: %o', async (of) => {
      const rows = [await rowOf<Text>(of), await rowOf<Text>(of)];
      await Promise.all(rows.map((row) => manager().softRemove(row)));
      expect(rig.received()).toHaveLength(1);
    });

    it('are recovered once', async () => {
      const row = await manager().softRemove(await rowOf(Doc));
      rig.received();
      const rows = [row, Object.assign(new Doc(), row)];
      await Promise.all(rows.map((one) => manager().recover(one)));
      expect(rig.received()).toEqual(['doc.back {"title":"a","state":"DRAFT"}']);
    });
  });

  it.each([Doc, Bare])(
    'send no removal when they are gone, or never were there: %o',
    async (of) => {
      const row = await rowOf<Text>(of);
      await manager().delete(of, 1);
      rig.received();
      await manager().remove(row);
      await manager().remove(Object.assign(new of(), { id: 999 }));
      expect(rig.received()).toEqual([]);
    },
  );

  if (kind === 'sqlite') return;

  /** Makes a write wait for that of another transaction, which commits after all that the first one reads before. */
  const during = async (
    other: (manager: EntityManager) => Promise<unknown>,
    write: () => Promise<unknown>,
  ): Promise<void> => {
    let writing: Promise<unknown> | undefined;
    await rig.dataSource.transaction(async (inner) => {
      await other(inner);
      rig.received();
      writing = write();
      await vi.waitUntil(() => isWaiting(rig.dataSource), { interval: 3 });
    });
    await writing;
  };

  /** The bodies by their data: whose commit the process hears of first is chance. */
  const bodies = () =>
    rig
      .bodies()
      .sort((one, other) => (JSON.stringify(one.data) < JSON.stringify(other.data) ? -1 : 1));

  const saved = (of: AnyText, fields: object) => () => manager().save(of, { id: 1, ...fields });

  it('are sent as they are, to whom they belong by then', async () => {
    await during(
      (other) => other.update(Doc, 1, { title: 'b', holder: 'bob' }),
      saved(Doc, { state: 'SIGNED' }),
    );
    expect(bodies()).toMatchObject([
      { type: 'doc.changed', owner: 'bob', data: { title: 'b', state: 'DRAFT' } },
      { type: 'doc.changed', owner: 'bob', data: { title: 'b', state: 'SIGNED' } },
    ]);
  });

  it('send nothing for a change that another has told of', async () => {
    await during(
      (other) => other.update(Page, 1, { state: 'PUBLISHED' }),
      saved(Page, { title: 'b' }),
    );
    expect(rig.received()).toEqual(['page.published "a"']);
    await manager().update(Page, 1, { title: 'a' });
    rig.received();
    await during((other) => other.update(Page, 1, { title: 'b' }), saved(Page, { title: 'c' }));
    expect(rig.received()).toEqual(['page.edited "c"']);
  });

  it.each([Doc, Bare, Page])('send no change when they are gone: %o', async (of) => {
    const name = of.name.toLowerCase();
    const gone = (other: EntityManager) => other.query(`DELETE FROM ${name} WHERE id = 1`);
    await during(gone, saved(of, { title: 'b', state: 'PUBLISHED' }));
    expect(rig.received()).toEqual([]);
  });

  it.each([Doc, Bare, Page])('send no change when they are softly removed: %o', async (of) => {
    const name = of.name.toLowerCase();
    const at = kind === 'mariadb' ? 'deletedAt' : '"deletedAt"';
    await during(
      (other) => other.query(`UPDATE ${name} SET ${at} = CURRENT_TIMESTAMP WHERE id = 1`),
      saved(of, { title: 'b', state: 'PUBLISHED' }),
    );
    expect(rig.received()).toEqual([]);
  });

  it('are removed as they last were', async () => {
    const row = await rowOf(Doc);
    await during(
      (other) => other.update(Doc, 1, { title: 'b', holder: 'bob' }),
      () => manager().remove(row),
    );
    expect(bodies().filter(({ type }) => type !== 'doc.changed')).toMatchObject([
      { type: 'doc.removed', owner: 'bob', data: { title: 'b', state: 'DRAFT' } },
    ]);
  });
});
