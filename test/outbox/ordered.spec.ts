import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MovableClock } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { OrderedReceiver } from '../support/ordered-receiver.js';

/** A request may take as long as the test, and no claim comes in between. */
const PATIENT = { timeout: 60_000, pollInterval: 60_000 };
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

let place: TestDatabase;
let receiver: OrderedReceiver;
let apps: OutboxApp[];

const open = async (options: Parameters<typeof openOutboxApp>[1] = {}): Promise<OutboxApp> => {
  const [first] = apps;
  const app = await openOutboxApp(place, {
    schedule: [30],
    synchronize: first === undefined,
    ...(first !== undefined && { subscribers: first.subscribers }),
    ...options,
  });
  apps.push(app);
  return app;
};
const send = (app: OutboxApp, key: string, id?: string) =>
  app.send({ orderBy: { key }, ...(id !== undefined && { id }) });

beforeEach(async () => {
  receiver = await OrderedReceiver.start();
  apps = [];
});
afterEach(async () => {
  expect(receiver.overlaps).toEqual([]);
  for (const app of apps) await app.close();
  await receiver.stop();
  await place.drop();
});

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  'an ordered subscriber of two workers on $kind',
  ({ kind }) => {
    beforeEach(async () => {
      place = await createDatabase(kind);
    });

    it('gets no request after the lease of its delivery, which another worker may have by then', async () => {
      const clock = new MovableClock();
      // Not renewed within the test.
      const late = await open({ clock, perHost: 1, lease: 600_000, ...PATIENT });
      let answer = () => {};
      const answered = new Promise<void>((resolve) => (answer = resolve));
      receiver.reply = ({ key }) => ({ status: 204, after: key === 'a' ? answered : 0 });
      await late.subscribers.create(subscriber(receiver.url(), { id: 'sub_0', ordered: true }));
      await send(late, 'a');
      await vi.waitFor(() => expect(receiver.arrivals).toHaveLength(1));
      await send(late, 'b');
      await late.until('SELECT id FROM thorn_deliveries WHERE lease IS NOT NULL', (rows) => {
        return rows.length === 2;
      });
      clock.advance(601_000);
      answer();
      await late.until(`SELECT id FROM thorn_deliveries WHERE status = 'succeeded'`, (rows) => {
        return rows.length > 0;
      });
      expect(receiver.asked('b')).toEqual([]);
      const next = await open({ clock });
      await vi.waitFor(() => expect(receiver.accepted('b')).toEqual([1]));
      await next.until(`SELECT id FROM thorn_deliveries WHERE status = 'succeeded'`, (rows) => {
        return rows.length === 2;
      });
      expect(receiver.asked('b')).toEqual([1]);
    });
  },
);

it.each<DatabaseKind>(['file', 'postgres', 'mariadb'])(
  'an ordered subscriber whose callback has thrown gets its message before later ones, on %s',
  async (kind) => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    place = await createDatabase(kind);
    const clock = new MovableClock();
    const app = await open({ clock });
    let throws = true;
    app.statics.add('*', { url: receiver.url('/listed'), ordered: true });
    app.statics.add('*', () => {
      if (throws) throw new Error('the list cannot be fetched');
      return { url: receiver.url('/called'), ordered: true };
    });
    await send(app, 'a');
    await app.until('SELECT lease FROM thorn_pending_messages', ([row]) => row?.['lease'] === null);
    throws = false;
    await send(app, 'a');
    await app.until('SELECT id FROM thorn_deliveries', ({ length }) => length === 3);
    clock.advance(10_000);
    await vi.waitFor(() => {
      for (const path of ['/listed', '/called']) {
        expect(receiver.accepted('a', path)).toEqual([1, 2]);
      }
    });
    vi.restoreAllMocks();
  },
);

describe.each<{ kind: DatabaseKind; type?: 'mysql' }>([
  { kind: 'file' },
  { kind: 'memory' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
  { kind: 'mariadb', type: 'mysql' },
])('an ordered subscriber on %j', ({ kind, ...more }) => {
  let app: OutboxApp;
  beforeEach(async () => {
    place = await createDatabase(kind);
    Object.assign(place.options, more);
    // So long that nobody takes over what a test has staged.
    app = await open({ lease: 60_000 });
  });

  it('gets the messages of a key one after another, while other keys go on', async () => {
    await app.subscribers.create(subscriber(receiver.url(), { ordered: true }));
    receiver.reply = ({ sequence }) => ({ status: 204, after: sequence % 3 === 0 ? 0 : 10 });
    await Promise.all(upTo(10).flatMap(() => ['a', 'b', 'c'].map((key) => send(app, key))));
    await vi.waitFor(() => expect(receiver.arrivals).toHaveLength(30));
    for (const key of ['a', 'b', 'c']) expect(receiver.asked(key)).toEqual(upTo(10));
    await app.until('SELECT key_hash, queue_position, status FROM thorn_deliveries', (rows) =>
      rows.every(
        ({ key_hash: key, queue_position: at, status }) =>
          key === null && at === null && status === 'succeeded',
      ),
    );
    await app.until('SELECT id FROM thorn_pending_messages', (rows) => rows.length === 0);
  });

  it('gets nothing of a key while an earlier message waits for its retry', async () => {
    await app.subscribers.create(subscriber(receiver.url(), { ordered: true }));
    await app.subscribers.create(subscriber(receiver.url('/other')));
    receiver.reply = ({ path, attempt, sequence }) => ({
      status: path === '/hooks' && sequence === 2 && attempt === 1 ? 500 : 204,
    });
    for (const _ of upTo(4)) await send(app, 'a');
    await vi.waitFor(() => expect(receiver.accepted('a')).toHaveLength(4));
    expect(receiver.asked('a')).toEqual([1, 2, 2, 3, 4]);
    await vi.waitFor(() => expect(receiver.asked('a', '/other').sort()).toEqual(upTo(4)));
  });

  it('goes on with the next message after one that failed for good', async () => {
    await app.subscribers.create(subscriber(receiver.url(), { ordered: true }));
    receiver.reply = ({ sequence }) => ({ status: sequence === 1 ? 500 : 204 });
    for (const _ of upTo(3)) await send(app, 'a');
    await vi.waitFor(() => expect(receiver.accepted('a')).toEqual([2, 3]));
    expect(receiver.asked('a')).toEqual([1, 1, 2, 3]);
  });

  it('waits for a message that no process has looked at yet', async () => {
    await app.subscribers.create(subscriber(receiver.url(), { ordered: true }));
    const staged = app.message({ orderBy: { key: 'a' } });
    await app.strategy.stage([staged], undefined);
    for (const _ of upTo(3)) await send(app, 'a');
    await send(app, 'b');
    await vi.waitFor(() => expect(receiver.asked('b')).toEqual([1]));
    await app.until(
      'SELECT queue_position FROM thorn_deliveries WHERE queue_position > 0',
      (rows) => rows.length === 3,
    );
    expect(receiver.asked('a')).toEqual([]);
    await app.strategy.release([staged]);
    await vi.waitFor(() => expect(receiver.asked('a')).toEqual(upTo(4)));
  });

  it.each(['nobody', 'another one'])('goes on behind a message that %s gets', async (who) => {
    const other = subscriber(receiver.url('/other'), { ordered: true, events: ['order.placed'] });
    if (who !== 'nobody') await app.subscribers.create(other);
    await app.subscribers.create(subscriber(receiver.url(), { ordered: true, events: ['some'] }));
    const staged = app.message({ orderBy: { key: 'a' } });
    await app.strategy.stage([staged], undefined);
    await app.send({ orderBy: { key: 'a' }, event: 'some' });
    await app.until(
      'SELECT queue_position FROM thorn_deliveries WHERE queue_position > 0',
      (rows) => rows.length === 1,
    );
    await app.strategy.release([staged]);
    await vi.waitFor(() => expect(receiver.asked('a')).toEqual([2]));
  });

  it('gets its messages in order from several workers', async () => {
    await app.subscribers.create(subscriber(receiver.url(), { ordered: true }));
    await app.subscribers.create(subscriber(receiver.url('/other'), { ordered: true }));
    const all = kind === 'memory' ? [app] : [app, await open(), await open()];
    receiver.reply = ({ sequence, attempt, path }) => ({
      status: sequence % 4 === 0 && attempt === 1 && path === '/hooks' ? 500 : 204,
      after: (sequence * 7) % 5,
    });
    await Promise.all(
      all.flatMap((one) => upTo(20).flatMap(() => ['a', 'b'].map((key) => send(one, key)))),
    );
    const count = 20 * all.length;
    for (const path of ['/hooks', '/other']) {
      for (const key of ['a', 'b']) {
        await vi.waitFor(() => expect(receiver.accepted(key, path)).toEqual(upTo(count)));
      }
    }
  });
});
