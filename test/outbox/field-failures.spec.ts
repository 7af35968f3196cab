import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FIRST_KEY, idFrom, keyOf } from '../../lib/outbox/tables/keys.js';
import { type SubscriberChanges } from '../../lib/subscriber/index.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { checkDeliveries } from '../support/check-deliveries.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import {
  Article,
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
  subscriber,
} from '../support/apps/outbox-app.js';
import { Receiver } from '../support/receiver.js';
import { STORED_ATTEMPTS } from '../support/stored-attempts.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const MESSAGES = `SELECT * FROM ${STORED_MESSAGES} ORDER BY id`;
const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';
const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const isDone = (rows: Record<string, unknown>[]) => rows.every(({ due_at: due }) => due === null);

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rigs: OutboxApp[];
let servers: Server[];

async function open(kind: DatabaseKind, options: OutboxAppOptions = {}): Promise<OutboxApp> {
  if (rigs.length === 0) place = await createDatabase(kind);
  const rig = await openOutboxApp(place, { synchronize: rigs.length === 0, ...options });
  rigs.push(rig);
  return rig;
}

beforeEach(async () => {
  [rigs, servers] = [[], []];
  receiver = await ScriptedReceiver.start();
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const rig of rigs) await rig.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await receiver.stop();
  await place.drop();
});

/** Answers 200 and then a body as the function makes it; null: for ever. */
async function talkative(chunks: number | null): Promise<string> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200);
    let left = chunks ?? Number.POSITIVE_INFINITY;
    const more = () => {
      if (response.destroyed) return;
      if (left-- <= 0) response.end();
      else response.write(chunk, () => setTimeout(more, 1));
    };
    more();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
}

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  'failures in production, on $kind',
  ({ kind }) => {
    it('skips messages that cannot be read, and keeps them', async () => {
      vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
      const clock = new MovableClock();
      const rig = await open(kind, { clock, worker: false });
      await rig.subscribers.create(subscriber(receiver.url));
      const poison = [];
      for (const column of ['settings', 'headers', 'recipients']) {
        const { id } = await rig.send();
        // PostgreSQL takes no other for recipients than what is JSON.
        const text = column === 'recipients' ? '"sealed"' : '{not json';
        await rig.rows(
          `UPDATE thorn_messages SET ${column} = '${text}' WHERE id = '${keyOf('msg_', id)}'`,
        );
        poison.push(id);
      }
      const late = poison[0]!;
      await rig.rows(
        `INSERT INTO thorn_deliveries (id, message_id, subscriber_id, given_subscriber_id, event, status, attempts, throttled, requests, host, due_at) VALUES ('${FIRST_KEY}', '${keyOf('msg_', late)}', '${keyOf('sub_', 'sub_1')}', 'sub_1', 'order.placed', 'pending', 1, 0, 1, 'a', 1)`,
      );
      const sent = [];
      for (let n = 0; n < 5; n++) sent.push((await rig.send()).id);
      const worker = await open(kind, { clock, subscribers: rig.subscribers });
      await receiver.waitFor(5);
      await worker.until(DELIVERIES, (rows) => rows.length === 6 && rows[0]!['lease'] === null);
      expect(checkDeliveries(receiver.received, sent)).toEqual({
        lost: [],
        duplicates: 0,
        unknown: [],
      });
      // Once mended they are sent.
      for (const column of ['settings', 'headers', 'recipients']) {
        const value = column === 'recipients' ? '[]' : '{}';
        await rig.rows(`UPDATE thorn_messages SET ${column} = '${value}'`);
      }
      await rig.rows(`DELETE FROM thorn_deliveries WHERE id = '${FIRST_KEY}'`);
      clock.advance(10_000);
      await receiver.waitFor(8);
      await rig.until(MESSAGES, isDone);
      expect(checkDeliveries(receiver.received, [...sent, ...poison])).toMatchObject({
        lost: [],
        duplicates: 0,
      });
    });

    it('retries static subscribers whose callback throws, and sends no message twice to the others', async () => {
      const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
      const clock = new MovableClock();
      const rig = await open(kind, { clock });
      let fails = 2;
      rig.statics.add('*', async () => {
        if (fails-- > 0) throw new Error('the list cannot be fetched');
        return new URL('/static', receiver.url).href;
      });
      await rig.subscribers.create(subscriber(receiver.url));
      const { id } = await rig.send();
      await receiver.waitFor(1);
      for (const wait of [10_000, 10_000]) {
        await rig.until(
          MESSAGES,
          ([row]) => row!['lease'] === null && Number(row!['due_at']) > clock.now(),
        );
        expect(receiver.received).toHaveLength(1);
        clock.advance(wait);
      }
      await receiver.waitFor(2);
      await rig.until(MESSAGES, isDone);
      expect(checkDeliveries(receiver.received, [id], ['/hooks', '/static'])).toEqual({
        lost: [],
        duplicates: 0,
        unknown: [],
      });
      expect(await rig.rows(DELIVERIES)).toHaveLength(2);
      // The second failure repeats the first.
      expect(error).toHaveBeenCalledTimes(1);
    });

    it('does not treat a static subscriber as removed when its callback throws', async () => {
      vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
      const clock = new MovableClock();
      const rig = await open(kind, { clock, schedule: [1000] });
      let fails = false;
      rig.statics.add('*', () => {
        if (fails) throw new Error('the list cannot be fetched');
        return receiver.url;
      });
      receiver.answer(500);
      await rig.send();
      await rig.until(DELIVERIES, (rows) => rows.length === 1);
      await rig.until(MESSAGES, isDone);
      fails = true;
      const before = Number((await rig.rows(DELIVERIES))[0]!['due_at']);
      clock.advance(2000);
      await rig.until(
        DELIVERIES,
        ([row]) => row!['lease'] === null && Number(row!['due_at']) > before,
      );
      expect(await rig.rows(DELIVERIES)).toMatchObject([{ status: 'pending', attempts: 1 }]);
      fails = false;
      clock.advance(10_000);
      await rig.until(DELIVERIES, isDone);
      expect(await rig.rows(DELIVERIES)).toMatchObject([{ status: 'succeeded', attempts: 2 }]);
    });

    it('judges each delivery to a URL of the settings by its own message', async () => {
      const clock = new MovableClock();
      const rig = await open(kind, { clock, schedule: [1000] });
      let isListed = true;
      rig.statics.add('order.*', receiver.url);
      rig.statics.add('invoice.*', () => (isListed ? receiver.url : null));
      receiver.answer(500).answer(500);
      const waiting = (count: number) =>
        rig.until(
          DELIVERIES,
          (rows) => rows.length === count && rows.every(({ attempts }) => attempts === 1),
        );
      await rig.send({ event: 'invoice.sent' });
      await waiting(1);
      clock.advance(500);
      const { id } = await rig.send();
      await waiting(2);
      isListed = false;
      // The retry of the first one alone is due.
      clock.advance(700);
      await rig.until(DELIVERIES, (rows) => rows.some(({ reason }) => reason === 'disabled'));
      clock.advance(1000);
      await rig.until(DELIVERIES, isDone);
      expect(await rig.rows(DELIVERIES)).toMatchObject([
        { event: 'invoice.sent', status: 'failed', attempts: 1 },
        { event: 'order.placed', status: 'succeeded', attempts: 2 },
      ]);
      expect(receiver.received.at(-1)!.headers['webhook-id']).toBe(id);
    });

    it('keeps what waits for a subscriber whose new URL is yet to be verified', async () => {
      vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
      const clock = new MovableClock();
      const rig = await open(kind, { clock, schedule: [1000] });
      const change = (changes: SubscriberChanges) =>
        rig.subscribers.update('sub_moved', { ...changes, updatedAt: new Date() }, 'any');
      await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_moved' }));
      receiver.answer(500);
      await rig.send();
      await rig.until(DELIVERIES, ([row]) => row?.['attempts'] === 1);
      await change({ url: new URL('/moved', receiver.url).href, verification: 'pending' });
      clock.advance(2000);
      await rig.until(
        DELIVERIES,
        ([row]) =>
          row!['lease'] === null && (Number(row!['due_at']) > clock.now() || isDone([row!])),
      );
      await change({ verification: 'verified' });
      clock.advance(10_000);
      await receiver.waitFor(2);
      expect(receiver.received.map(({ path }) => path)).toEqual(['/hooks', '/moved']);
    });

    it('skips messages that cannot be encoded for a subscriber', async () => {
      const rig = await open(kind, { worker: false, schedule: [] });
      await rig.subscribers.create(subscriber(receiver.url));
      await rig.subscribers.create(subscriber(receiver.url, { contentType: 'text/unknown' }));
      const sent = [];
      for (let n = 0; n < 3; n++) sent.push((await rig.send()).id);
      const worker = await open(kind, { schedule: [], subscribers: rig.subscribers });
      await receiver.waitFor(3);
      const rows = await worker.until(DELIVERIES, (all) => all.length === 6);
      expect(rows.filter(({ status }) => status === 'failed')).toHaveLength(3);
      expect(checkDeliveries(receiver.received, sent)).toEqual({
        lost: [],
        duplicates: 0,
        unknown: [],
      });
    });

    it.each([
      ['forwards', HOUR],
      ['backwards', -HOUR],
    ])('survives a clock that jumps an hour %s', async (_, jump) => {
      const clock = new MovableClock();
      receiver.otherwise({ delay: 300 });
      const one = await open(kind, { clock, lease: 1000, schedule: [5000] });
      const two = await open(kind, { clock, lease: 1000, subscribers: one.subscribers });
      await one.subscribers.create(subscriber(receiver.url));
      const sent = [];
      receiver.answer(500);
      for (let n = 0; n < 20; n++) sent.push((await one.send()).id);
      await receiver.waitFor(20);
      clock.set(clock.now() + jump);
      for (let n = 0; n < 20; n++) sent.push((await two.send()).id);
      await receiver.waitFor(40);
      await one.until(MESSAGES, (rows) => {
        clock.advance(20);
        return isDone(rows);
      });
      clock.set(clock.now() + Math.max(0, -jump) + 10_000);
      await one.until(DELIVERIES, (rows) => rows.length === 40 && isDone(rows));
      // One was answered with 500, and is tried again. Two processes that both are in the future agree that the leases
      // of the other are over: what is in flight there may come twice.
      const { lost, duplicates } = checkDeliveries(receiver.received, sent);
      expect(lost).toEqual([]);
      expect(duplicates).toBeLessThanOrEqual(jump > 0 ? 1 + 20 : 1);
      const rows = await one.rows(DELIVERIES);
      expect(rows.filter(({ status }) => status !== 'succeeded')).toEqual([]);
    });

    it('gives up no delivery because workers were down for days', async () => {
      const clock = new MovableClock();
      const rig = await open(kind, { clock, schedule: [5000, 5000, 5000] });
      await rig.subscribers.create(subscriber(receiver.url));
      receiver.otherwise(500);
      const tried = (await rig.send()).id;
      await rig.until(DELIVERIES, (rows) => rows.length === 1);
      await rig.until(MESSAGES, isDone);
      await rig.close();
      const sender = await open(kind, { clock, worker: false, subscribers: rig.subscribers });
      const waiting = [];
      for (let n = 0; n < 20; n++) waiting.push((await sender.send()).id);
      clock.advance(40 * DAY);
      receiver.otherwise(204);
      const back = await open(kind, { clock, subscribers: rig.subscribers, schedule: [5000] });
      await receiver.waitFor(22);
      await back.until(DELIVERIES, (rows) => rows.length === 21 && isDone(rows));
      const rows = await back.rows(DELIVERIES);
      expect(rows.map(({ status }) => status)).toEqual(rows.map(() => 'succeeded'));
      expect(checkDeliveries(receiver.received, [tried, ...waiting])).toEqual({
        lost: [],
        duplicates: 1,
        unknown: [],
      });
    });

    it('isolates an endpoint that answers a megabyte, or without end', async () => {
      const rig = await open(kind, { perHost: 4 });
      const [megabyte, endless] = [await talkative(16), await talkative(null)];
      await rig.subscribers.create(subscriber(megabyte, { id: 'sub_megabyte' }));
      await rig.subscribers.create(subscriber(endless, { id: 'sub_endless' }));
      await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_other' }));
      const sent = [];
      for (let n = 0; n < 50; n++) sent.push((await rig.send()).id);
      await receiver.waitFor(50);
      await rig.until(DELIVERIES, (rows) => rows.length === 150 && isDone(rows));
      // They said 200: whatever they say after that changes nothing.
      const rows = await rig.rows(DELIVERIES);
      expect(rows.filter(({ status }) => status !== 'succeeded')).toEqual([]);
      expect(checkDeliveries(receiver.received, sent)).toEqual({
        lost: [],
        duplicates: 0,
        unknown: [],
      });
      const answers = await rig.rows(
        `SELECT response FROM ${STORED_ATTEMPTS} WHERE response IS NOT NULL`,
      );
      for (const { response } of answers)
        expect(String(response).length).toBeLessThanOrEqual(16 * 1024);
    });

    it('sends no message twice to the other subscribers of a message that fails at one', async () => {
      const siblings = ['/a', '/b', '/c'];
      const failing = await ScriptedReceiver.start();
      failing.answer(500, 'reset', 500);
      // In flight for as long as the other one is tried again.
      receiver.otherwise({ delay: 800 });
      const rig = await open(kind, { schedule: [10, 10, 10] });
      for (const path of siblings) {
        await rig.subscribers.create(subscriber(new URL(path, receiver.url).href));
      }
      await rig.subscribers.create(subscriber(failing.url));
      const { id } = await rig.send();
      await failing.waitFor(4);
      const rows = await rig.until(DELIVERIES, (all) => all.length === 4 && isDone(all));
      await rig.until(MESSAGES, isDone);
      expect(rows.map(({ status }) => status)).toEqual(rows.map(() => 'succeeded'));
      expect(checkDeliveries(receiver.received, [id], siblings)).toEqual({
        lost: [],
        duplicates: 0,
        unknown: [],
      });
      expect(failing.received).toHaveLength(4);
      await failing.stop();
    });

    it('does not stop a path of a host because another path fails', async () => {
      const rig = await open(kind, { schedule: [] });
      for (const path of ['/broken', '/fine']) {
        await rig.subscribers.create(subscriber(new URL(path, receiver.url).href));
      }
      // Slower than the failures, so that these come in a row.
      receiver.otherwise(({ path }) => (path === '/broken' ? 500 : { delay: 100 }));
      const sent = [];
      for (let n = 0; n < 60; n++) sent.push((await rig.send()).id);
      await receiver.waitFor(120);
      await rig.until(DELIVERIES, (rows) => rows.length === 120 && isDone(rows));
      expect(checkDeliveries(receiver.received, sent, ['/broken', '/fine'])).toEqual({
        lost: [],
        duplicates: 0,
        unknown: [],
      });
    });

    it('reports once that a subscriber is gone when two processes notice at the same time', async () => {
      vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
      const one = await open(kind, { health: {} });
      const two = await open(kind, { health: {}, subscribers: one.subscribers });
      const told: string[] = [];
      for (const { events } of [one, two]) {
        events.on('subscriber-disabled', ({ subscriberId: id }) => told.push(id));
      }
      const endpoint = await Receiver.start();
      endpoint.status = 410;
      // By the first answer, each process has sent all of its requests.
      endpoint.hold = endpoint.waitFor(20).then(() => undefined);
      const ids = [];
      for (let n = 0; n < 10; n++) {
        const gone = await one.subscribers.create(
          subscriber(endpoint.url, { events: [`order.number-${n}`] }),
        );
        ids.push(gone.id);
      }
      for (let n = 0; n < 10; n++) {
        const draft = { event: `order.number-${n}` };
        await Promise.all([one.send(draft), two.send(draft)]);
      }
      await one.until(DELIVERIES, (rows) => rows.length === 20 && isDone(rows));
      await vi.waitFor(() => expect(told.length).toBeGreaterThanOrEqual(10));
      // What is left to tell is told by then.
      for (const rig of [one, two]) await rig.strategy.onApplicationShutdown();
      expect(told.sort()).toEqual(ids.sort());
      await endpoint.stop();
    });

    it('keeps its worker busy during a burst of sends', async () => {
      const clock = new MovableClock();
      const rig = await open(kind, { clock, schedule: [5000] });
      await rig.subscribers.create(subscriber(receiver.url));
      receiver.answer(500);
      const { id } = await rig.send();
      await rig.until(DELIVERIES, (rows) => rows.length === 1 && rows[0]!['lease'] === null);
      await rig.until(MESSAGES, isDone);
      clock.advance(6000);
      const sent: string[] = [id];
      const sender = async () => {
        for (let n = 0; n < 5; n++) {
          if (n === 0)
            await rig.dataSource.manager.save(Object.assign(new Article(), { title: 'x' }));
          else sent.push((await rig.send()).id);
        }
      };
      await Promise.all(Array.from({ length: 200 }, sender));
      await receiver.waitFor(1002);
      await rig.until(DELIVERIES, (rows) => rows.length === 1001 && isDone(rows));
      const messages = await rig.until(MESSAGES, isDone);
      const ids = messages.map((row) => idFrom('msg_', row['id'], row['given_id']));
      expect(ids).toEqual(expect.arrayContaining(sent));
      expect(checkDeliveries(receiver.received, ids)).toEqual({
        lost: [],
        duplicates: 1,
        unknown: [],
      });
    });
  },
);
