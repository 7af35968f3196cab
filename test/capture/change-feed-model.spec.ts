import fc from 'fast-check';
import { Column, DeleteDateColumn, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebhookEvent, Webhooks } from '../../lib/index.js';
import { type FeedApp, openFeedApp } from '../support/apps/feed-app.js';

@Entity()
@Webhooks<Stone>({
  payload: ({ id, state, title }, { on, changes }) =>
    on === 'delete' ? [id] : [id, state, title, ...Object.keys(changes).sort()],
})
@WebhookEvent<Stone>('stone.created', { on: 'create' })
@WebhookEvent<Stone>('stone.changed', { on: 'change' })
@WebhookEvent<Stone>('stone.removed', { on: 'delete' })
@WebhookEvent<Stone>('stone.state', { on: { change: ['state'] } })
class Stone {
  @PrimaryColumn() id!: number;
  @Column({ default: 'a' }) state!: string;
  @Column({ type: 'simple-json', default: '0' }) title!: number;
  @Column({ default: '', select: false }) secret!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
}

type Write = (manager: EntityManager, id: number, state: string, title: number) => Promise<unknown>;

const by =
  (text: string): Write =>
  (manager, id, state, title) =>
    manager.query(
      text.replace(':id', `${id}`).replace(':state', `'${state}'`).replace(':title', `'${title}'`),
    );

/** What an application may do to a row: through TypeORM, and by hand. */
const WRITES: Readonly<Record<string, Write>> = {
  save: (manager, id, state) => manager.save(Stone, { id, state }),
  saveTitle: (manager, id, _, title) => manager.save(Stone, { id, title }),
  update: (manager, id, state) => manager.update(Stone, id, { state }),
  updateTitle: (manager, id, _, title) => manager.update(Stone, id, { title }),
  updateSecret: (manager, id, state) => manager.update(Stone, id, { secret: state }),
  expression: (manager, id, state) => manager.update(Stone, id, { state: () => `'${state}'` }),
  upsert: (manager, id, state) => manager.upsert(Stone, { id, state }, ['id']),
  delete: (manager, id) => manager.delete(Stone, id),
  softDelete: (manager, id) => manager.softDelete(Stone, id),
  restore: (manager, id) => manager.restore(Stone, id),
  remove: async (manager, id) => manager.remove(await manager.findBy(Stone, { id })),
  sqlInsert: by('INSERT INTO stone (id, state) VALUES (:id, :state) ON CONFLICT DO NOTHING'),
  sqlUpdate: by('UPDATE stone SET state = :state WHERE id = :id'),
  sqlUpdateTitle: by('UPDATE stone SET title = :title WHERE id = :id'),
  sqlDelete: by('DELETE FROM stone WHERE id = :id'),
  sqlSoftDelete: by('UPDATE stone SET "deletedAt" = now() WHERE id = :id'),
  sqlRestore: by('UPDATE stone SET "deletedAt" = NULL WHERE id = :id'),
};

type Step =
  | { readonly write: string; readonly id: number; readonly state: string; readonly title: number }
  | { readonly steps: readonly Step[]; readonly commits: boolean };

const transaction = fc.letrec<{ step: Step; transaction: Step }>((tie) => ({
  step: fc.oneof(
    { depthSize: 'small' },
    {
      weight: 4,
      arbitrary: fc.record({
        write: fc.constantFrom(...Object.keys(WRITES)),
        id: fc.integer({ min: 1, max: 2 }),
        state: fc.constantFrom('a', 'b'),
        title: fc.integer({ min: 0, max: 1 }),
      }),
    },
    { weight: 1, arbitrary: tie('transaction') },
  ),
  transaction: fc.record({
    steps: fc.array(tie('step'), { minLength: 1, maxLength: 5 }),
    commits: fc.boolean(),
  }),
})).transaction;

class RolledBack extends Error {}

async function play(manager: EntityManager, step: Step): Promise<void> {
  if ('write' in step) {
    await WRITES[step.write]!(manager, step.id, step.state, step.title);
    return;
  }
  await manager
    .transaction(async (inner) => {
      for (const part of step.steps) await play(inner, part);
      if (!step.commits) throw new RolledBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });
}

function difference(before: readonly Stone[], after: readonly Stone[]): string[] {
  const texts: string[] = [];
  for (const id of [1, 2]) {
    const [old, now] = [before, after].map((rows) => rows.find((row) => row.id === id));
    const [wasSeen, isSeen] = [old, now].map((row) => row?.deletedAt === null);
    if (wasSeen && !isSeen) texts.push(`stone.removed [${id}]`);
    if (!isSeen) continue;
    const data = [id, now!.state, now!.title];
    if (!wasSeen) texts.push(`stone.created ${JSON.stringify(data)}`);
    if (!wasSeen) continue;
    const changed = (['state', 'title'] as const).filter((name) => old![name] !== now![name]);
    const text = JSON.stringify([...data, ...changed]);
    if (changed.length > 0) texts.push(`stone.changed ${text}`);
    if (changed.includes('state')) texts.push(`stone.state ${text}`);
  }
  return texts.sort();
}

describe('random transactions of writes through TypeORM and by hand', () => {
  let app: FeedApp;
  beforeAll(async () => {
    app = await openFeedApp([Stone]);
  });
  afterAll(() => app.close());

  it('send exactly what the table shows changed, once', async () => {
    const { manager } = app;
    const rows = () => manager.find(Stone, { withDeleted: true });
    await fc.assert(
      fc.asyncProperty(fc.array(transaction, { minLength: 1, maxLength: 3 }), async (all) => {
        for (const one of all) {
          const before = await rows();
          const sent = await app.sentBy(() => play(manager, one));
          expect(sent).toEqual(difference(before, await rows()));
        }
      }),
      { seed: 20_261_126, numRuns: 60, endOnFailure: true },
    );
  }, 180_000);
});
