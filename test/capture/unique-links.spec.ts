import {
  Column,
  Entity,
  type EntityManager,
  JoinTable,
  ManyToMany,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import type { EntityChange } from '../../lib/event/index.js';
import { type CaptureApp, openCaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

const payload = ({ id }: { id: number }, { related, ids }: EntityChange<object>) => [
  id,
  ids,
  related.map((row) => (row as Label | Sheet).name).sort(),
];

@Entity()
@Webhooks<Label>({ payload })
@WebhookEvent<Label>('label.used', { on: { added: 'sheets' } })
@WebhookEvent<Label>('label.unused', { on: { cleared: 'sheets' } })
class Label {
  @PrimaryColumn()
  id!: number;

  @Column({ unique: true, length: 40 })
  name!: string;

  @ManyToMany(() => Sheet, ({ labels }) => labels, { onDelete: 'CASCADE' })
  sheets!: Relation<Sheet>[];
}

/** Refers to labels by their names, and is itself referred to by two columns. */
@Entity()
@Webhooks<Sheet>({ payload })
@WebhookEvent<Sheet>('sheet.added', { on: { added: 'labels' } })
@WebhookEvent<Sheet>('sheet.removed', { on: { removed: 'labels' } })
@WebhookEvent<Sheet>('sheet.cleared', { on: { cleared: 'labels' } })
@WebhookEvent<Sheet>('sheet.marked', { on: { added: 'marks' } })
@WebhookEvent<Sheet>('sheet.unmarked', { on: { removed: 'marks' } })
@WebhookEvent<Sheet>('sheet.bare', { on: { cleared: 'marks' } })
@WebhookEvent<Sheet>('sheet.gone', { on: 'delete', payload: ({ id }) => id })
class Sheet {
  @PrimaryColumn()
  id!: number;

  @Column({ unique: true, length: 40 })
  name!: string;

  @ManyToMany(() => Label, ({ sheets }) => sheets, { onDelete: 'CASCADE' })
  @JoinTable({
    joinColumn: { name: 'sheet', referencedColumnName: 'name' },
    inverseJoinColumn: { name: 'label', referencedColumnName: 'name' },
  })
  labels!: Relation<Label>[];

  @ManyToMany(() => Label)
  @JoinTable({
    name: 'sheet_marks',
    joinColumn: { name: 'sheet', referencedColumnName: 'name' },
    inverseJoinColumn: { name: 'label' },
  })
  marks!: Relation<Label>[];
}

describe.each(DATABASES_ALIKE)('links by other columns than the primary key, on %s', (kind) => {
  let app: CaptureApp;
  let manager: EntityManager;
  const x = { id: 1, name: 'x' } as Label;
  const y = { id: 2, name: 'y' } as Label;
  const sheet = (labels?: Label[]) => ({ id: 7, name: 's', ...(labels && { labels }) });

  beforeAll(async () => {
    app = await openCaptureApp(kind, [Label, Sheet]);
    ({ manager } = app.dataSource);
  });
  afterAll(() => app.close());

  beforeEach(async () => {
    await manager.createQueryBuilder().delete().from(Sheet).execute();
    await manager.createQueryBuilder().delete().from(Label).execute();
    await manager.insert(Label, [{ ...x }, { ...y }]);
    app.received();
  });

  const of = (id: unknown) => manager.createQueryBuilder().relation(Sheet, 'labels').of(id);

  it('tells what save() adds and removes, at both ends', async () => {
    await manager.save(Sheet, sheet([x, y]));
    expect(app.received().sort()).toEqual([
      'label.used [1,[7],["s"]]',
      'label.used [2,[7],["s"]]',
      'sheet.added [7,[1,2],["x","y"]]',
    ]);
    // TypeORM's own save() of less labels cuts none of these links.
  });

  it('tells what save() removes', async () => {
    await manager.save(Sheet, { ...sheet(), marks: [x, y] });
    expect(app.received()).toEqual(['sheet.marked [7,[1,2],["x","y"]]']);
    await manager.save(Sheet, { ...sheet(), marks: [x] });
    expect(app.received()).toEqual(['sheet.unmarked [7,[2],["y"]]']);
    await manager.save(Sheet, { ...sheet(), marks: [] });
    expect(app.received().sort()).toEqual([
      'sheet.bare [7,[1],["x"]]',
      'sheet.unmarked [7,[1],["x"]]',
    ]);
  });

  it('tells what relation() adds and removes, and merges it within a transaction', async () => {
    await manager.insert(Sheet, sheet());
    await of({ id: 7, name: 's' }).add([x, y]);
    expect(app.received()).toContain('sheet.added [7,[1,2],["x","y"]]');
    await of({ id: 7, name: 's' }).remove(x);
    expect(app.received().sort()).toEqual([
      'label.unused [1,[7],["s"]]',
      'sheet.removed [7,[1],["x"]]',
    ]);
    await manager.transaction(async (inner) => {
      const labels = inner.createQueryBuilder().relation(Sheet, 'labels').of(sheet());
      await labels.remove(y);
      await labels.add(y);
    });
    expect(app.received()).toEqual([]);
    await manager.transaction(async (inner) => {
      await inner.update(Sheet, 7, { name: 't' });
      await inner.createQueryBuilder().relation(Sheet, 'labels').of({ id: 7, name: 't' }).add(x);
    });
    expect(app.received()).toContain('sheet.added [7,[1],["x"]]');
  });

  it('tells that a label which is gone is linked no more', async () => {
    await manager.save(Sheet, sheet([x, y]));
    app.received();
    await manager.delete(Label, { name: 'x' });
    expect(app.received()).toEqual(['sheet.removed [7,[1],["x"]]']);
    await manager.remove(await manager.findOneByOrFail(Label, { name: 'y' }));
    expect(app.received().sort()).toEqual([
      'sheet.cleared [7,[2],["y"]]',
      'sheet.removed [7,[2],["y"]]',
    ]);
  });

  it('tells of a row that is gone only that, and its labels that they have lost it', async () => {
    await manager.save(Sheet, sheet([x]));
    app.received();
    await manager.remove(await manager.findOneByOrFail(Sheet, { id: 7 }));
    expect(
      app
        .received()
        .map((text) => text.split(' ')[0])
        .sort(),
    ).toEqual(['label.unused', 'sheet.gone']);
    await manager.save(Sheet, sheet([x]));
    app.received();
    await manager.delete(Sheet, { id: 7 });
    expect(app.received().sort()).toEqual(['label.unused [1,[7],["s"]]', 'sheet.gone 7']);
  });

  // Others wait for the lock of the place, or for the one connection.
  if (kind !== 'postgres') return;
  it('cuts no link that another transaction adds after the links were read', async () => {
    await manager.save(Sheet, sheet());
    app.received();
    const { dataSource } = app;
    const add = () => dataSource.query(`INSERT INTO sheet_marks (sheet, label) VALUES ('s', 1)`);
    const hooks = { beforeRemove: add };
    dataSource.subscribers.push(hooks);
    try {
      await manager.createQueryBuilder().relation(Sheet, 'marks').of(sheet()).remove(1);
    } finally {
      dataSource.subscribers.splice(dataSource.subscribers.indexOf(hooks), 1);
    }
    const left = await dataSource.query<unknown[]>('SELECT label FROM sheet_marks');
    expect([left.length, app.received()]).toEqual([1, []]);
  });
});
