import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Recipient } from '../../lib/message/index.js';
import { Maintenance } from '../../lib/outbox/index.js';
import { keyOf } from '../../lib/outbox/tables/keys.js';
import { generateSecret, SecretSealer } from '../../lib/signing/index.js';
import { InMemorySubscriberRepository } from '../../lib/subscriber/index.js';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import {
  openOutboxApp,
  type OutboxApp,
  type OutboxAppOptions,
  subscriber,
} from '../support/apps/outbox-app.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';
const MESSAGES = `SELECT * FROM ${STORED_MESSAGES} ORDER BY id`;
const HOUR = 60 * 60_000;
const KEY = { id: 'first', key: randomBytes(32) };

let place: TestDatabase;
let receiver: ScriptedReceiver;
let rig: OutboxApp;
let clock: MovableClock;
let secret: string;
let errors: string[];

const sealing = (...keys: (typeof KEY)[]) => new SecretSealer({ keys });
const recipient = (): Recipient => ({
  id: 'own_1',
  url: receiver.url,
  contentType: 'application/json',
  digest: 'sha256',
  secrets: [{ value: secret, expiresAt: null }],
});

async function open(options: OutboxAppOptions): Promise<void> {
  rig = await openOutboxApp(place, { clock, schedule: [1000], ...options });
}

/** Everything in the tables of the library, as somebody finds it who got hold of them. */
async function dump(): Promise<string> {
  const tables = [
    'thorn_messages',
    'thorn_pending_messages',
    'thorn_deliveries',
    'thorn_attempts',
    'thorn_health',
  ];
  const rows = await Promise.all(tables.map((table) => rig.rows(`SELECT * FROM ${table}`)));
  return JSON.stringify(rows);
}

beforeEach(async () => {
  clock = new MovableClock();
  receiver = await ScriptedReceiver.start();
  secret = generateSecret();
  errors = [];
  vi.spyOn(Logger.prototype, 'error').mockImplementation((line) => void errors.push(String(line)));
});

afterEach(async () => {
  await rig.close();
  await receiver.stop();
  await place.drop();
  vi.restoreAllMocks();
});

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  'the subscribers that a message names itself, sealed on $kind',
  ({ kind }) => {
    beforeEach(async () => {
      place = await createDatabase(kind);
    });

    it('stores no secret in any table, from the first attempt to the last', async () => {
      await open({ sealer: sealing(KEY) });
      receiver.answer(500, 500, 204);
      await rig.send({ recipients: [recipient()] });
      const dumps: string[] = [await dump()];
      await rig.until(DELIVERIES, (rows) => rows.some(({ requests }) => requests === 1));
      dumps.push(await dump());
      clock.advance(2000);
      await rig.until(DELIVERIES, (rows) => rows.every(({ status }) => status === 'failed'));
      dumps.push(await dump());
      const [delivery] = (await rig.deliveries.list({}, 'any')).items;
      expect(await rig.deliveries.retry(delivery!.id, 'any')).toBe('scheduled');
      await rig.until(DELIVERIES, (rows) => rows.every(({ status }) => status === 'succeeded'));
      dumps.push(await dump());

      expect(dumps[0]).toContain('sealed.v1.first.');
      for (const text of dumps) {
        expect(text).not.toContain(secret.slice('whsec_'.length, 30));
        expect(text).not.toContain(receiver.url);
      }
      const received = receiver.received;
      expect(received).toHaveLength(3);
      expect(received.map((one) => one.isSignedWith(secret))).toEqual([true, true, true]);
    });

    it('postpones deliveries while the key is missing, and resumes when the key is back', async () => {
      await open({ sealer: sealing(KEY), worker: false });
      const stored = new InMemorySubscriberRepository();
      await stored.create(subscriber(receiver.url));
      await rig.send({ recipients: [recipient()] });
      await rig.close();

      const other = { id: 'second', key: randomBytes(32) };
      await open({ sealer: sealing(other), subscribers: stored });
      await vi.waitFor(() => expect(errors.join()).toContain('"first"'));
      await rig.until(MESSAGES, ([row]) => row!['lease'] === null);
      const [row] = await rig.rows(MESSAGES);
      expect(Number(row!['due_at'])).toBeGreaterThan(clock.now());
      expect(receiver.received).toEqual([]);
      await rig.close();

      clock.advance(2 * HOUR);
      await open({ sealer: sealing(other, KEY), subscribers: stored });
      await receiver.waitFor(2);
      expect(receiver.received.filter((one) => one.isSignedWith(secret))).toHaveLength(1);
      expect(errors.join()).not.toContain(secret);
    });

    it('postpones a due retry too, and does not end it as disabled', async () => {
      await open({ sealer: sealing(KEY) });
      receiver.answer(500);
      await rig.send({ recipients: [recipient()] });
      await rig.until(DELIVERIES, (rows) => rows.some(({ requests }) => requests === 1));
      await rig.close();

      clock.advance(2000);
      await open({ sealer: new SecretSealer() });
      await vi.waitFor(() => expect(errors.join()).toContain('"first"'));
      await rig.until(DELIVERIES, ([row]) => Number(row!['due_at']) > clock.now());
      expect(await rig.rows(DELIVERIES)).toMatchObject([{ status: 'pending' }]);
      await rig.close();

      clock.advance(2 * HOUR);
      await open({ sealer: sealing(KEY) });
      await receiver.waitFor(2);
    });

    it('opens a sealed subscriber in its own message alone', async () => {
      await open({ sealer: sealing(KEY), worker: false });
      const [one, other] = [
        await rig.send({ recipients: [recipient()] }),
        await rig.send({ recipients: [{ ...recipient(), url: `${receiver.url}/other` }] }),
      ];
      await rig.rows(
        `UPDATE thorn_messages SET recipients = (SELECT recipients FROM (SELECT recipients FROM thorn_messages WHERE id = '${keyOf('msg_', one.id)}') AS m) WHERE id = '${keyOf('msg_', other.id)}'`,
      );
      await rig.close();
      await open({ sealer: sealing(KEY) });
      await receiver.waitFor(1);
      await vi.waitFor(() => expect(errors.join()).toContain(other.id));
      expect(receiver.received.map(({ id }) => id)).toEqual([one.id]);
    });

    it('reads subscribers that were stored before there were keys', async () => {
      await open({ worker: false });
      await rig.send({ recipients: [recipient()] });
      expect(await dump()).toContain(secret);
      await rig.close();
      await open({ sealer: sealing(KEY) });
      const [received] = await receiver.waitFor(1);
      expect(received!.isSignedWith(secret)).toBe(true);
    });
  },
);

it.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }, { kind: 'mariadb' }])(
  'reseals the subscribers that a message names itself, on $kind',
  async ({ kind }) => {
    place = await createDatabase(kind);
    await open({ sealer: sealing(KEY), worker: false });
    await rig.send({ recipients: [recipient()] });
    await rig.send();
    await rig.close();

    const other = { id: 'second', key: randomBytes(32) };
    const sealer = sealing(other, KEY);
    const subscribers = new InMemorySubscriberRepository();
    await open({ sealer, worker: false });
    const maintenance = new Maintenance(rig.strategy, subscribers, sealer, clock);
    const counts = { checked: 2, unreadable: [], next: null };
    expect(await maintenance.reseal({ batch: 1 })).toEqual({ ...counts, resealed: 1 });
    expect(await maintenance.reseal()).toEqual({ ...counts, resealed: 0 });
    await rig.close();

    await open({ sealer: sealing(other) });
    const [received] = await receiver.waitFor(1);
    expect(received!.isSignedWith(secret)).toBe(true);
  },
);
