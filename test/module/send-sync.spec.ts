import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  disabled,
  inline,
  outbox,
  type SendSyncOptions,
  Subscribers,
  ThornModule,
  type ThornModuleExtras,
  WebhookDispatcher,
} from '../../lib/index.js';
import { DispatchStrategy, type Release } from '../../lib/extending/index.js';
import { ensureSchema } from '../../lib/sql/index.js';
import {
  LOOPBACK_RECIPIENTS,
  RecordingStrategy,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import type { FreshDatabase } from '../services/database.js';
import { freshSqlite, type OpenedSync, SYNC_CLIENTS } from '../support/sqlite-clients.js';

/** A strategy of an application that stores messages with promises alone. */
class WaitingStrategy extends DispatchStrategy {
  async stage(): Promise<void> {}

  release(): Promise<readonly Release[]> {
    return Promise.resolve([]);
  }

  override releaseOnCommit(): void {}
}

let place: FreshDatabase;
let app: INestApplicationContext | undefined;
beforeEach(async () => {
  place = await freshSqlite();
});
afterEach(async () => {
  await app?.close();
  await place.drop();
});

async function start(client: OpenedSync, dispatch: ThornModuleExtras['dispatch']) {
  const module = await Test.createTestingModule({
    imports: [
      ThornModule.forRoot({
        ...{ database: client.database, recipients: LOOPBACK_RECIPIENTS },
        ...(dispatch === undefined ? {} : { dispatch }),
      }),
    ],
  }).compile();
  module.useLogger(false);
  app = await module.init();
  return app.get(WebhookDispatcher);
}

describe.each(SYNC_CLIENTS)('sendSync() with $name', ({ open }) => {
  let receiver: ScriptedReceiver;
  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
  });
  afterEach(() => receiver.stop());

  it.each(['file', 'memory'])('stores with the commit alone, in a %s', async (kind) => {
    const client = await open(kind === 'file' ? place.url : 'file::memory:');
    await ensureSchema(client.database);
    const dispatcher = await start(client, outbox({ pollInterval: 100 }));
    await app!.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    const send = (tx: unknown, name: string, options: Partial<SendSyncOptions> = {}) =>
      dispatcher.sendSync(name, { name }, { ...options, tx });
    const stored = () =>
      client.rows('SELECT event FROM thorn_messages ORDER BY event').map(({ event }) => event);

    const { id } = client.transaction((tx) => {
      const sent = send(tx, 'order.placed', { owner: 'ann', orderBy: 'ann' });
      expect(sent.state).toBe('staged');
      expect(stored()).toEqual(['order.placed']);
      const nested = () =>
        client.nested(tx, (inner) => {
          send(inner, 'order.nested');
          throw new Error('of the nested one');
        });
      expect(nested).toThrow('of the nested one');
      expect(() => client.execute(tx, 'INSERT INTO missing VALUES (1)')).toThrow('missing');
      send(tx, 'order.given', { id: 'given', subscribers: [receiver.url, { url: receiver.url }] });
      send(tx, 'order.again', { id: 'given' });
      send(tx, 'order.paid', { owner: 'ann', orderBy: 'ann' });
      return sent;
    });
    const undone = () =>
      client.transaction((tx) => {
        send(tx, 'order.undone');
        throw new Error('rolled back');
      });
    expect(undone).toThrow('rolled back');

    const last = client.transaction((tx) => send(tx, 'order.last', { owner: 'ann' }).id);
    await receiver.waitFor(({ id }) => id === last);
    await receiver.waitFor(5);
    // The subscriber that is stored, and the one of the message, which is named twice.
    expect(receiver.received.map(({ event }) => event).sort()).toEqual([
      ...['order.given', 'order.given', 'order.last', 'order.paid', 'order.placed'],
    ]);
    const placed = receiver.received.find((one) => one.id === id)!;
    expect(JSON.parse(placed.body.toString())).toMatchObject({ owner: 'ann' });
    expect(stored()).toEqual(['order.given', 'order.last', 'order.paid', 'order.placed']);
    await app!.close();
    client.close();
  });

  it('refuses what it cannot store at once, and the transaction goes on', async () => {
    const client = await open(place.url);
    const other = await open('file::memory:');
    await ensureSchema(client.database);
    const dispatcher = await start(client, outbox({ worker: false }));
    const codeOf = (options: unknown) => {
      try {
        return dispatcher.sendSync('order.refused', {}, options as SendSyncOptions).state;
      } catch (error) {
        const { code, message } = error as Error & { readonly code?: string };
        return `${code}: ${message}`;
      }
    };
    const count = () => client.rows('SELECT COUNT(*) AS count FROM thorn_messages')[0]!['count'];
    const before = count();
    let late: unknown;
    let sending: Promise<unknown> | undefined;
    client.transaction((tx) => {
      late = tx;
      for (const subscribers of [() => [], (async function* () {})()]) {
        expect(codeOf({ tx, subscribers })).toMatch(/THORN_INVALID_INPUT: subscribers .*before/);
      }
      expect(codeOf({ tx, wait: false })).toMatch(/THORN_INVALID_INPUT: wait is not .*sendSync/);
      expect(codeOf({ tx, subscribers: ['nowhere'] })).toMatch('THORN_INVALID_INPUT: subscribers');
      for (const options of [{}, { tx: null }, { tx: {} }, { tx: client.bare }]) {
        if (options.tx === tx) continue;
        expect(codeOf(options)).toMatch(/THORN_TRANSACTION_REQUIRED: .*(?:send|transaction)/);
      }
      other.transaction((wrong) => {
        expect(codeOf({ tx: wrong })).toMatch('THORN_DATABASE_OTHER');
      });
      client.execute(tx, 'ALTER TABLE thorn_pending_messages RENAME TO hidden');
      expect(codeOf({ tx })).toMatch(/THORN_TABLES_MISSING: .*npx thorn migrations sqlite/);
      client.execute(tx, 'ALTER TABLE hidden RENAME TO thorn_pending_messages');
      sending = dispatcher.send('order.later', {}, { tx });
      sending.catch(() => undefined);
      expect(codeOf({ tx })).toBe('staged');
    });
    // Before the transaction ended, as it was stored at once.
    await expect(sending).resolves.toMatchObject({ state: 'staged' });
    await expect(dispatcher.send('order.late', {}, { tx: late })).rejects.toThrow('sendSync()');
    expect(codeOf({ tx: late })).toMatch(/THORN_TRANSACTION_(?:ENDED|REQUIRED)/);
    expect(count()).toBe(Number(before) + 2);
    await app!.close();
    client.close();
    other.close();
  });

  it('says which strategy stores nothing, and which tables are missing', async () => {
    const client = await open('file::memory:');
    await ensureSchema(client.database);
    const send = (dispatcher: WebhookDispatcher) => () =>
      client.transaction((tx) => dispatcher.sendSync('order.placed', {}, { tx }).state);
    const sender = await start(client, inline());
    expect(send(sender)).toThrow('dispatch: outbox()');
    await app!.close();
    expect(send(await start(client, disabled()))()).toBe('staged');
    await app!.close();
    expect(send(await start(client, RecordingStrategy))()).toBe('staged');
    await app!.get<RecordingStrategy>(DispatchStrategy).waitFor('order.placed');
    await app!.close();
    expect(send(await start(client, WaitingStrategy))).toThrow('no method stageSync()');
    await app!.close();
    client.close();

    const empty = await open('file::memory:');
    await expect(start(empty, outbox())).rejects.toThrow('npx thorn migrations sqlite');
    app = undefined;
    empty.close();
  });
});
