import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Clock,
  inline,
  InvalidInputError,
  outbox,
  type SubscriberNotice,
  Subscribers,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
} from '../../lib/index.js';
import { SubscriberExpiry, SubscriberNotices } from '../../lib/dispatch/index.js';
import { SubscriberRepository } from '../../lib/extending/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { bundleProgram, startChild } from '../services/child.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import type { NoticesTask } from '../support/processes/notices.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const CHANGES =
  'SELECT kind, changed_by, due_at, told_at, tries FROM thorn_subscriber_changes ORDER BY id';

let receiver: ScriptedReceiver;
let place: TestDatabase;
let apps: INestApplication[];

interface Started {
  readonly app: INestApplication;
  readonly told: SubscriberNotice[];
  readonly subscribers: Subscribers;
  readonly dispatcher: WebhookDispatcher;
  readonly clock: MovableClock;
  rows(): Promise<Record<string, unknown>[]>;
}

/** An application on the database of the test; the first one makes the tables. */
async function start(
  options: ThornModuleOptions & ThornModuleExtras = {},
  notify: ((notice: SubscriberNotice) => void | Promise<void>) | null = () => undefined,
): Promise<Started> {
  const told: SubscriberNotice[] = [];
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        ...place.options,
        ...{ autoLoadEntities: true, synchronize: apps.length === 0 },
      }),
      ThornModule.forRoot({
        recipients: LOOPBACK_RECIPIENTS,
        clock: MovableClock,
        dispatch: outbox({ pollInterval: 25 }),
        retries: { schedule: [] },
        health: { disableAfter: DAY, minMessages: 4 },
        ...(notify !== null && {
          notify: async (notice: SubscriberNotice) => {
            await notify(notice);
            told.push(notice);
          },
        }),
        ...options,
      }),
    ],
  }).compile();
  const app = module.createNestApplication();
  app.useLogger(false);
  await app.init();
  apps.push(app);
  return {
    ...{ app, told, subscribers: app.get(Subscribers), dispatcher: app.get(WebhookDispatcher) },
    clock: app.get<MovableClock>(Clock),
    rows: () => app.get(DataSource).query<Record<string, unknown>[]>(CHANGES),
  };
}

const types = (told: readonly SubscriberNotice[]) => told.map(({ type }) => type.slice(11));
const at = (path: string) => new URL(path, receiver.url).href;

beforeEach(async () => {
  apps = [];
  receiver = await ScriptedReceiver.start();
});

afterEach(async () => {
  for (const app of apps) await app.close();
  await receiver.stop();
  await place.drop();
});

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  'notify on $kind',
  ({ kind }) => {
    beforeEach(async () => {
      place = await createDatabase(kind);
    });

    it('is told of what users do, with the names of fields and who has done it', async () => {
      const { subscribers, told, rows } = await start();
      const { id } = await subscribers.create(
        { url: at('/a?token=topsecret'), events: ['a'], owner: 'ann' },
        { by: 'ann' },
      );
      const scope = { owner: 'ann' };
      await subscribers.update(id, { description: 'mine', events: ['a'] }, scope, { by: 'bob' });
      await subscribers.update(id, { description: 'mine' }, scope);
      await subscribers.rotateSecret(id, { overlap: '1h' }, scope, { by: 'ann' });
      await subscribers.update(id, { url: at('/b'), enabled: false }, 'any');
      const { items } = (await subscribers.changes(id, {}, scope))!;
      expect(await subscribers.changes(id, {}, { owner: 'bob' })).toBeNull();
      await subscribers.delete(id, scope, { by: 'ann' });

      await vi.waitFor(() => expect(told).toHaveLength(5));
      const facts = { subscriberId: id, owner: 'ann', host: new URL(receiver.url).host };
      const none = { fields: [], figures: null };
      expect(told).toMatchObject([
        { type: 'subscriber-created', ...facts, by: 'ann', ...none },
        { type: 'subscriber-changed', ...facts, by: 'bob', fields: ['description'] },
        { type: 'subscriber-changed', ...facts, by: 'ann', fields: ['secret'] },
        { type: 'subscriber-changed', ...facts, by: 'application', fields: ['url', 'enabled'] },
        { type: 'subscriber-removed', ...facts, by: 'ann', ...none },
      ]);
      expect(items.map(({ kind: what }) => what)).toEqual([
        ...['changed', 'changed', 'changed', 'created'],
      ]);
      expect(items.map((one) => one.id)).toEqual(
        told
          .slice(0, 4)
          .map((one) => one.id)
          .toReversed(),
      );
      expect(JSON.stringify(told)).not.toMatch(/topsecret|token|whsec/);
      await vi.waitFor(async () =>
        expect(await rows()).toEqual(
          Array.from({ length: 5 }, () =>
            expect.objectContaining({ due_at: null, told_at: expect.anything(), tries: 1 }),
          ),
        ),
      );
    });

    it('is told by one of two processes of 410, disabling and recovery', async () => {
      const one = await start();
      const two = await start();
      const told = () => [...one.told, ...two.told];
      const of = (id: string) =>
        told()
          .filter((notice) => notice.subscriberId === id)
          .sort((first, second) => (first.id < second.id ? -1 : 1));
      const [gone, failing, well] = await Promise.all(
        ['gone', 'failing', 'well'].map((name) =>
          one.subscribers.create({ url: at(`/${name}`), events: [name], owner: 'ann' }),
        ),
      );
      await vi.waitFor(() => expect(told()).toHaveLength(3));
      let isWell = false;
      receiver.otherwise(({ event }) => (event === 'gone' ? 410 : isWell ? 204 : 500));
      const both = (event: string, times: number) =>
        Promise.all(
          Array.from({ length: times }, (_, n) =>
            (n % 2 === 0 ? one : two).dispatcher.send(event, {}, { owner: 'ann' }),
          ),
        );
      // The second process knows the subscribers once its copy is older than five seconds.
      for (const { clock } of [one, two]) clock.advance(6000);
      await Promise.all([both('gone', 2), both('failing', 2), both('well', 2)]);
      await vi.waitFor(() => expect(types(of(gone!.id))).toEqual(['created', 'disabled']));
      const others = () => receiver.received.filter(({ event }) => event !== 'gone');
      await vi.waitFor(() => expect(others()).toHaveLength(4));
      // Half of the messages have failed, and none of the time is over. Each has a clock of its own, which began a little
      // earlier or later.
      for (const { clock } of [one, two]) clock.advance(DAY / 2 + MINUTE);
      await Promise.all([both('failing', 1), both('well', 1)]);
      await vi.waitFor(() => {
        expect(types(of(failing!.id))).toEqual(['created', 'failing']);
        expect(types(of(well!.id))).toEqual(['created', 'failing']);
      });
      isWell = true;
      for (const { clock } of [one, two]) clock.advance(MINUTE);
      await both('well', 2);
      await vi.waitFor(() =>
        expect(types(of(well!.id))).toEqual(['created', 'failing', 'recovered']),
      );
      isWell = false;
      for (const { clock } of [one, two]) clock.advance(DAY);
      await both('failing', 2);
      // Either process may write either of the last two changes, so their ids follow two clocks.
      await vi.waitFor(() => expect(types(of(failing!.id))).toContain('disabled'));

      // A process that would tell once more does so at its next look.
      for (const { app } of [one, two]) await app.get(SubscriberNotices).pass();
      expect(types(of(gone!.id))).toEqual(['created', 'disabled']);
      expect(types(of(well!.id))).toEqual(['created', 'failing', 'recovered']);
      const kinds = types(of(failing!.id));
      expect(kinds.filter((type) => type === 'disabled')).toHaveLength(1);
      expect(new Set(told().map(({ id }) => id)).size).toBe(told().length);
      expect(of(gone!.id)[1]).toMatchObject({
        ...{ by: 'worker', owner: 'ann' },
        figures: { share: 100, status: 410, error: null, reason: 'gone', disablesAt: null },
      });
      const begun = of(failing!.id)[1];
      const disabled = of(failing!.id).find(({ type }) => type === 'subscriber-disabled');
      expect(begun!.figures).toMatchObject({ share: 50, failingMessages: 3, status: 500 });
      expect(begun!.figures!.disablesAt).toBe(begun!.figures!.failingSince + DAY);
      expect(disabled!.figures).toMatchObject({ share: 100, reason: 'failing', status: 500 });
      expect(of(well!.id)[2]!.figures).toMatchObject({
        share: 50,
        failingMessages: 3,
        reason: null,
      });
    });

    it('is told again when it throws, and given up after ten times', async () => {
      let calls = 0;
      const { subscribers, told, clock, rows, app } = await start({}, ({ owner }) => {
        calls++;
        if (owner === 'never' || calls <= 2) throw new Error('the mail server says no');
      });
      const warned: unknown[] = [];
      app.useLogger({ ...QUIET, warn: (line: unknown) => void warned.push(line) });
      await subscribers.create({ url: at('/'), events: ['a'], owner: 'ann' });
      await vi.waitFor(async () => expect((await rows())[0]).toMatchObject({ tries: 1 }));
      await vi.waitFor(() => expect(warned).toHaveLength(1));
      clock.advance(10_000);
      await vi.waitFor(() => expect(warned).toHaveLength(2));
      clock.advance(10_000);
      clock.advance(10_000);
      await vi.waitFor(() => expect(types(told)).toEqual(['created']));
      expect(calls).toBe(3);
      expect(String(warned[0])).toMatch(
        /notify failed for subscriber-created of sub_\S+, told again in 10 s: the mail server says no/,
      );

      await subscribers.create({ url: at('/'), events: ['a'], owner: 'never' });
      for (let tries = 1; tries <= 10; tries++) {
        await vi.waitFor(() => expect(calls).toBe(3 + tries));
        await vi.waitFor(() => expect(warned).toHaveLength(2 + tries));
        const due = async () => Number((await rows())[1]!['due_at']);
        await vi.waitFor(async () =>
          tries < 10
            ? expect(await due()).toBe(clock.now() + 10_000 * 2 ** (tries - 1))
            : expect(await due()).toBe(0),
        );
        clock.advance(6 * 60 * MINUTE);
      }
      expect(String(warned.at(-1))).toMatch(/not told again after 10 tries/);
      await app.get(SubscriberNotices).pass();
      expect(calls).toBe(13);
      expect((await rows())[1]).toMatchObject({ due_at: null, told_at: null });
    });

    it('is not told, and no statement runs for it, where the option is left out', async () => {
      const { subscribers, rows } = await start({}, null);
      await subscribers.create({ url: at('/'), events: ['a'] });
      expect(await rows()).toMatchObject([{ kind: 'created', due_at: null, told_at: null }]);
      // A process that has the option tells nothing of before.
      const other = await start();
      await other.subscribers.create({ url: at('/'), events: ['a'], owner: 'ann' });
      await vi.waitFor(() => expect(other.told).toHaveLength(1));
      expect(other.told).toMatchObject([{ owner: 'ann' }]);
    });

    it('forgets changes with the log', async () => {
      const { subscribers, rows, clock, app } = await start({
        dispatch: outbox({ pollInterval: 25, retentionDays: 3 }),
      });
      await subscribers.create({ url: at('/'), events: ['a'] });
      await app.get(SubscriberExpiry).pass();
      clock.advance(3 * DAY - 1);
      await app.get(SubscriberExpiry).pass();
      expect(await rows()).toHaveLength(1);
      clock.advance(DAY);
      await app.get(SubscriberExpiry).pass();
      expect(await rows()).toEqual([]);
    });

    describe('in a process that is killed', () => {
      let program: string;
      beforeAll(async () => {
        program = await bundleProgram('test/support/processes/notices.ts');
      });

      it.each(['before', 'within'] as const)('%s telling: another tells it', async (dies) => {
        const tables = await start({}, null);
        const task: NoticesTask = { options: place.options, url: at('/'), dies };
        const child = startChild(program, JSON.stringify(task));
        await child.exited;
        expect(child.lines().some((line) => line.startsWith('created sub_'))).toBe(true);
        expect(child.lines().includes('telling subscriber-created')).toBe(dies === 'within');
        const { told, clock } = await start();
        // Its lease ends within a minute.
        if (dies === 'within') clock.advance(2 * MINUTE);

        await vi.waitFor(() => expect(told).toHaveLength(1));
        expect(told).toMatchObject([{ type: 'subscriber-created', by: 'child', owner: 'ann' }]);
        await vi.waitFor(async () =>
          expect(await tables.rows()).toMatchObject([
            { due_at: null, tries: dies === 'within' ? 2 : 1 },
          ]),
        );
      });
    });
  },
);

describe('notify', () => {
  beforeEach(async () => {
    place = await createDatabase('memory');
  });

  it('is told directly where subscribers are kept in memory', async () => {
    const told: SubscriberNotice[] = [];
    const module = await Test.createTestingModule({
      imports: [
        ThornModule.forRoot({
          ...{ dataSources: [], dispatch: inline(), recipients: LOOPBACK_RECIPIENTS },
          notify: (notice) => void told.push(notice),
        }),
      ],
    }).compile();
    const app = module.createNestApplication({ logger: false });
    apps.push(await app.init());
    const subscribers = app.get(Subscribers);
    const { id } = await subscribers.create({ url: at('/'), events: ['a'] });
    await subscribers.update(id, { ordered: true }, 'any', { by: 'me' });
    await subscribers.delete(id, 'any');

    await vi.waitFor(() => expect(types(told)).toEqual(['created', 'changed', 'removed']));
    expect(told[1]).toMatchObject({ subscriberId: id, by: 'me', fields: ['ordered'] });
  });

  it.each([[true], ['mail'], [{}]])('refuses %o', async (notify) => {
    await expect(start({ notify: notify as never })).rejects.toThrow(
      /notify.*must be a function that takes a notice/,
    );
  });

  it('refuses a repository that keeps no changes', async () => {
    class Own extends SubscriberRepository {
      override create = async () => Promise.reject(new Error('none'));
      override findById = async () => null;
      override update = async () => null;
      override changeSecrets = async () => null;
      override delete = async () => false;
      override list = async () => ({ items: [], next: null });
      override match = () => [];
    }

    await expect(start({ subscriberRepository: Own })).rejects.toThrow(
      /notify.*needs the changes of subscribers, which this subscriberRepository does not keep/,
    );
  });

  it.each(['', 'x'.repeat(256), 'a\u0000b', 7])('refuses %o as who has changed it', async (by) => {
    const { subscribers, rows } = await start();
    const terms = { by: by as string };
    const { id } = await subscribers.create({ url: at('/'), events: ['a'] });
    const refused = [
      subscribers.create({ url: at('/'), events: ['a'] }, terms),
      subscribers.update(id, { ordered: true }, 'any', terms),
      subscribers.rotateSecret(id, { overlap: '1h' }, 'any', terms),
      subscribers.delete(id, 'any', terms),
    ];

    for (const one of await Promise.allSettled(refused)) {
      expect(one).toMatchObject({ status: 'rejected', reason: { field: 'by' } });
      expect((one as PromiseRejectedResult).reason).toBeInstanceOf(InvalidInputError);
    }
    expect(await rows()).toHaveLength(1);
  });
});

const QUIET = {
  log: () => undefined,
  error: () => undefined,
  debug: () => undefined,
  verbose: () => undefined,
};
