import { inspect } from 'node:util';
import { Column, Entity, ManyToOne, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookEvent } from '../../lib/capture/index.js';
import { openCaptureApp, type CaptureApp } from '../support/apps/capture-app.js';
import { DATABASES_ALIKE } from '../support/capture-databases.js';

@Entity()
class Writer {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

const settings = {
  on: 'change',
  payload: (_: object, { changes }: { changes: unknown }) => changes,
} as const;

abstract class Piece {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
}

@Entity()
@WebhookEvent<Essay>('essay', settings)
@WebhookEvent<Essay>('essay.of-bob', { on: 'change', when: { writer: { id: { nowEq: 2 } } } })
class Essay extends Piece {
  @ManyToOne(() => Writer, { nullable: true }) writer!: Writer | null;
}

/** Its key is a property as well. */
@Entity()
@WebhookEvent<Poem>('poem', settings)
class Poem extends Piece {
  @Column({ nullable: true, type: 'int' }) writerId!: number | null;
  @ManyToOne(() => Writer, { nullable: true }) writer!: Writer | null;
}

@Entity()
class Reader {
  @PrimaryColumn() name!: string;
  @Column({ default: 'none' }) mood!: string;
}

@Entity()
@WebhookEvent<Note>('note', { on: ['create', 'delete'], owner: 'reader.name' })
@WebhookEvent<Note>('note.printed', {
  on: 'create',
  owner: 'reader.name',
  payload: ({ reader }) => ({ text: inspect(reader) }),
})
class Note {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Reader) reader!: Reader;
}

describe.each(DATABASES_ALIKE)('a relation that is set by criteria on %s', (kind) => {
  let rig: CaptureApp;

  beforeAll(async () => {
    rig = await openCaptureApp(kind, [Writer, Essay, Poem, Reader, Note]);
    await rig.dataSource.manager.save(Writer, [{ name: 'Ada' }, { name: 'Bob' }]);
    await rig.dataSource.manager.save(Reader, { name: 'ada' });
  });
  afterAll(() => rig.close());
  beforeEach(() => rig.received());

  const told = () => rig.bodies().map(({ type, data }) => [type, data]);
  const link = (from: number | null, to: number | null) => ({ writer: { from, to } });

  describe.each([
    ['by id', (id: number) => ({ id })],
    ['by a title', () => ({ title: 't' })],
  ])('%s', (_, criteria) => {
    it('tells the row before and after it', async () => {
      const { manager } = rig.dataSource;
      const { id } = await manager.save(Essay, { title: 't', writer: { id: 1 } });
      rig.received();

      await manager.update(Essay, criteria(id), { writer: { id: 1 } });
      expect(told()).toEqual([]);
      await manager.update(Essay, criteria(id), { writer: null });
      expect(told()).toEqual([['essay', link(1, null)]]);
      await manager.update(Essay, criteria(id), { writer: null });
      expect(told()).toEqual([]);
      await manager.update(Essay, criteria(id), { writer: { id: 2 } });
      const [changed, ofBob] = told();
      expect(changed).toEqual(['essay', link(null, 2)]);
      expect(ofBob![0]).toBe('essay.of-bob');
      await manager.update(Essay, criteria(id), { writer: { id: 2 } });
      expect(told()).toEqual([]);
      await manager.createQueryBuilder().relation(Essay, 'writer').of(id).set(null);
      expect(told()).toEqual([['essay', link(2, null)]]);
      await manager.delete(Essay, id);
    });

    it('sends nothing for a way there and back in one transaction', async () => {
      const { manager } = rig.dataSource;
      const { id } = await manager.save(Essay, { title: 't', writer: { id: 1 } });
      rig.received();
      await manager.transaction(async (one) => {
        await one.update(Essay, criteria(id), { writer: { id: 2 } });
        await one.update(Essay, criteria(id), { writer: { id: 1 } });
      });
      expect(told()).toEqual([]);
      await manager.delete(Essay, id);
    });

    it('tells of a key that is a property as well', async () => {
      const { manager } = rig.dataSource;
      const { id } = await manager.save(Poem, { title: 't', writer: { id: 1 } });
      rig.received();

      await manager.update(Poem, criteria(id), { writer: null });
      expect(told()).toMatchObject([['poem', { writerId: { from: 1, to: null } }]]);
      await manager.update(Poem, criteria(id), { writer: null });
      expect(told()).toEqual([]);
      await manager.delete(Poem, id);
    });
  });

  it('has the owner as the related row spells it', async () => {
    const isCaseBlind = kind === 'mariadb';
    const { manager } = rig.dataSource;
    const note = await manager.save(
      Note,
      Object.assign(new Note(), { reader: { name: isCaseBlind ? 'ADA' : 'ada' } }),
    );
    await manager.delete(Note, note.id);
    const bodies = rig.bodies();
    expect(bodies.map(({ owner }) => owner)).toEqual(['ada', 'ada', 'ada']);
    const printed = bodies.find(({ type }) => type === 'note.printed');
    expect(printed!.data).toMatchObject({ text: expect.stringContaining("mood: 'none'") });
  });
});
