import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import fc from 'fast-check';
import {
  Column,
  DataSource,
  Entity,
  type EntityManager,
  ManyToOne,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Clock,
  defineEvents,
  Deliveries,
  outbox,
  Subscribers,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvent,
  WebhookEvents,
  Webhooks,
} from '../../lib/index.js';
import { SubscriberRepository } from '../../lib/subscriber/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { StatementLogger } from '../support/apps/outbox-app.js';
import { sqliteAndPostgres } from '../support/databases.js';

let payloads = 0;

@Entity()
class Author {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'text' })
  name!: string;
}

@Entity()
@Webhooks<Note>({
  payload: ({ title }) => {
    payloads++;
    return { title };
  },
  owner: 'author.name',
})
@WebhookEvent<Note>('note.created', { on: 'create' })
@WebhookEvent<Note>('note.changed', { on: 'change' })
@WebhookEvent<Note>('note.removed', { on: 'delete', keep: true })
class Note {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'text' })
  title!: string;

  @ManyToOne(() => Author)
  author!: Author;
}

/** Has the columns of a note and no events. */
@Entity()
class Memo {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'text' })
  title!: string;

  @ManyToOne(() => Author)
  author!: Author;
}

describe.each(sqliteAndPostgres)('events that nobody is subscribed to, on $database', (kind) => {
  let app: INestApplication;
  let receiver: ScriptedReceiver;
  let log: StatementLogger;
  let manager: EntityManager;
  let dispatcher: WebhookDispatcher;
  let subscribers: Subscribers;
  let authors: Record<'ann' | 'bob', Author>;
  const ends: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await receiver.stop();
  });

  async function start(options: ThornModuleOptions & ThornModuleExtras = {}): Promise<void> {
    const database = await kind.create();
    ends.push(database.drop);
    log = new StatementLogger();
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          autoLoadEntities: true,
          synchronize: true,
          logger: log,
        }),
        TypeOrmModule.forFeature([Author, Note, Memo]),
        ThornModule.forRoot({
          recipients: LOOPBACK_RECIPIENTS,
          clock: MovableClock,
          dispatch: outbox({ pollInterval: 25 }),
          events: defineEvents({ 'order.paid': { description: 'An order was paid' } }),
          ...options,
        }),
      ],
    }).compile();
    app = module.createNestApplication();
    app.useLogger(false);
    await app.init();
    ends.push(() => app.close());
    ({ manager } = app.get(DataSource));
    dispatcher = app.get(WebhookDispatcher);
    subscribers = app.get(Subscribers);
    const [ann, bob] = await manager.save([
      manager.create(Author, { name: 'ann' }),
      manager.create(Author, { name: 'bob' }),
    ]);
    authors = { ann: ann!, bob: bob! };
    await look();
  }

  /** Reads the subscribers, as the first message does. */
  const look = async () => {
    await app
      .get(SubscriberRepository)
      .match({ event: 'any.event', owner: null, audience: 'everyone' });
  };
  const note = (title: string, author: 'ann' | 'bob' = 'ann') =>
    manager.save(manager.create(Note, { title, author: authors[author] }));
  const subscribe = (owner: string | null, ...events: string[]) =>
    subscribers.create({ url: receiver.url, events, owner });
  const stored = async () => {
    const rows = await manager.query<{ event: string }[]>(
      'SELECT event FROM thorn_messages ORDER BY event',
    );
    return rows.map(({ event }) => event);
  };
  const arrived = async (count: number) => {
    await expect.poll(() => receiver.received.length).toBe(count);
    return receiver.received.map(({ body }) => (JSON.parse(body.toString()) as Body).data.title);
  };
  const statementsOf = async (work: () => Promise<unknown>) => {
    const before = log.statements.length;
    await work();
    return log.statements.slice(before);
  };

  it('are not stored, and cost no statement and no payload', async () => {
    await start({ dispatch: outbox({ worker: false }) });
    const memo = await statementsOf(() =>
      manager.save(manager.create(Memo, { title: 'A', author: authors.ann })),
    );
    const before = payloads;
    const created = await statementsOf(() => note('A'));
    expect(created.map((sql) => sql.replaceAll('note', 'memo'))).toEqual(memo);

    const saved = await note('B');
    await manager.update(Note, saved.id, { title: 'C' });
    expect(payloads).toBe(before);
    expect(await stored()).toEqual([]);
  });

  it('are sent from the moment on at which somebody subscribes', async () => {
    await start();
    await note('too early');
    await subscribe(null, 'note.*');
    await note('in time');
    expect(await arrived(1)).toEqual(['in time']);
  });

  it('are told apart by owner', async () => {
    await start();
    await subscribe('bob', 'note.created');
    await note('of ann', 'ann');
    await note('of bob', 'bob');
    expect(await arrived(1)).toEqual(['of bob']);
    expect(await stored()).toEqual(['note.created']);
  });

  it('are kept when the event, the call or the module says so', async () => {
    await start();
    await manager.remove(await note('A'));
    await dispatcher.send('order.paid', {}, { keep: true });
    await dispatcher.send('order.lost', {});
    expect(await stored()).toEqual(['note.removed', 'order.paid']);
    await app.close();

    await start({ keep: true });
    await note('A');
    await dispatcher.send('order.paid', {}, { keep: false });
    await dispatcher.send('order.lost', {});
    expect(await stored()).toEqual(['note.created', 'order.lost']);
  });

  it('make send() answer unheard, and within a transaction staged', async () => {
    await start();
    const accepted: string[] = [];
    app.get(WebhookEvents).on('message-accepted', ({ event }) => accepted.push(event));
    const { state, attempts } = await dispatcher.send('order.paid', {});
    expect([state, attempts]).toEqual(['unheard', []]);
    await manager.transaction(async () => {
      expect((await dispatcher.send('order.paid', {})).state).toBe('staged');
    });
    const saved = await note('A');
    expect(await dispatcher.sendFor(saved, 'note.changed')).toMatchObject({ state: 'unheard' });
    expect(await dispatcher.sendFor(Note, { where: {} }, 'note.changed')).toEqual({
      rows: 1,
      sent: 0,
    });
    expect(await stored()).toEqual([]);
    expect(accepted).toEqual([]);
  });

  it('are decided on at the commit, not when they are sent', async () => {
    await start();
    await manager.transaction(async (within) => {
      await dispatcher.send('note.sent', { title: 'sent' });
      await within.save(within.create(Note, { title: 'saved', author: authors.ann }));
      // Through the same connection on SQLite, which would wait for this transaction.
      await subscribe(null, 'note.*');
    });
    expect((await arrived(2)).sort()).toEqual(['saved', 'sent']);
  });

  it('are not those that have subscribers of their own, static ones or callbacks', async () => {
    await start({
      subscribers: { 'stock.*': receiver.url, 'order.*': () => receiver.url },
    });
    await dispatcher.send('stock.low', { title: 'static' });
    await dispatcher.send('order.paid', { title: 'callback' });
    await dispatcher.send('other.event', { title: 'own' }, { subscribers: receiver.url });
    await dispatcher.send('other.event', { title: 'none' });
    expect((await arrived(3)).sort()).toEqual(['callback', 'own', 'static']);
    expect(await stored()).toHaveLength(3);
  });

  it('are not those of a disabled subscriber, which are backfilled once it is enabled', async () => {
    await start();
    const { id } = await subscribe('ann', 'note.*');
    await subscribers.update(id, { enabled: false }, 'any');
    await note('missed');
    await note('of bob', 'bob');
    await subscribers.update(id, { enabled: true }, 'any');
    app.get<MovableClock>(Clock).advance(1000);

    const deliveries = app.get(Deliveries);
    const counts = async () =>
      (await deliveries.backfill({ subscriberId: id, since: 0, dryRun: true }, 'any'))!;
    await expect.poll(async () => (await counts()).underWay).toBe(0);
    const { scheduled, note: text } = (await deliveries.backfill(
      { subscriberId: id, since: 0 },
      'any',
    ))!;
    expect([scheduled, text]).toEqual([1, undefined]);
    expect(await arrived(1)).toEqual(['missed']);
  });

  it('make a backfill say why it has found nothing', async () => {
    await start();
    const { id } = await subscribe('ann', 'order.*');
    await note('never stored');
    await subscribers.update(id, { events: ['note.*'] }, 'any');

    const deliveries = app.get(Deliveries);
    const summary = await deliveries.backfill({ subscriberId: id, since: 0, dryRun: true }, 'any');
    expect(summary).toMatchObject({ scheduled: 0, next: null });
    expect(summary!.note).toMatch(/not stored unless they say keep: true/);
  });

  it('are stored while this process has not looked at the subscribers of others', async () => {
    await start({ maxStaleness: 5000 });
    const clock = app.get<MovableClock>(Clock);
    await note('nobody');
    expect(await stored()).toEqual([]);

    // As another process would.
    const { id } = await subscribe('bob', 'order.*');
    await manager.query(
      `UPDATE thorn_subscribers SET owner = NULL, events = '["note.*"]', revision = revision + 1 WHERE id = '${id}'`,
    );
    clock.advance(5001);
    await note('heard');
    expect(await arrived(1)).toEqual(['heard']);
  });

  it('are exactly those without a subscriber, whatever comes and goes', async () => {
    await start();
    const steps = fc.array(
      fc.oneof(
        fc.record({ save: fc.constantFrom('ann' as const, 'bob' as const) }),
        fc.record({
          subscribe: fc.constantFrom('ann', 'bob', null),
          to: fc.constantFrom('note.*', 'note.created', 'order.*', '*'),
        }),
        fc.record({ unsubscribe: fc.nat(9) }),
      ),
      { minLength: 30, maxLength: 30 },
    );
    const [sequence] = fc.sample(steps, { numRuns: 1, seed: 15 }) as [Step[]];
    const present: { id: string; owner: string | null; pattern: string }[] = [];
    const [expected, kept]: [string[], string[]] = [[], []];
    for (const [at, step] of sequence.entries()) {
      if ('save' in step) {
        await note(`${at}`, step.save);
        const heard = present.filter(
          ({ owner, pattern }) => pattern !== 'order.*' && (owner === null || owner === step.save),
        );
        expected.push(...heard.map(() => `${at}`));
        if (heard.length > 0) kept.push('note.created');
      } else if ('subscribe' in step) {
        const { id } = await subscribe(step.subscribe, step.to);
        present.push({ id, owner: step.subscribe, pattern: step.to });
      } else if (step.unsubscribe < present.length) {
        await arrived(expected.length);
        const [gone] = present.splice(step.unsubscribe, 1);
        await subscribers.delete(gone!.id, 'any');
      }
    }
    expect((await arrived(expected.length)).sort()).toEqual(expected.sort());
    expect(kept.length).toBeGreaterThan(3);
    expect(await stored()).toEqual(kept);
  });
});

type Step =
  | { readonly save: 'ann' | 'bob' }
  | { readonly subscribe: string | null; readonly to: string }
  | { readonly unsubscribe: number };

interface Body {
  readonly data: { readonly title: string };
}
