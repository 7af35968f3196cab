import { Logger } from '@nestjs/common';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { connectionTo, openQueueRig, type QueueRigOptions } from '../support/apps/bullmq-app.js';
import { placeOf } from '../support/databases.js';
import { type Place, type Rig, SECRET, subscriber } from '../support/apps/outbox-app.js';
import { type RedisServer, startRedis } from '../services/redis.js';

const TITLES = ['Grüße, 世界 🌍', 'quote " and \\ and \n', '\u2028 \ud800 lone', '<script>'];
const JOBS = 'bull:thorn:msg_*';

let redis: RedisServer;
let client: Redis;
let place: Place;
let receiver: ScriptedReceiver;
let rigs: Rig[];

beforeAll(async () => {
  redis = await startRedis();
  client = new Redis(redis.port);
}, 60_000);

afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

beforeEach(async () => {
  rigs = [];
  await client.flushall();
  [place, receiver] = [await placeOf('postgres'), await ScriptedReceiver.start()];
}, 60_000);

afterEach(async () => {
  for (const rig of rigs) await rig.close();
  await receiver.stop();
  await place.remove();
});

async function open(options: QueueRigOptions): Promise<Rig> {
  const rig = await openQueueRig(place, {
    connection: connectionTo(redis.port),
    synchronize: rigs.length === 0,
    ...options,
  });
  await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_1' }));
  rigs.push(rig);
  return rig;
}

const sending = (options: QueueRigOptions) => open({ worker: false, ...options });
const jobs = async () =>
  Promise.all((await client.keys(JOBS)).map((key) => client.hget(key, 'data')));
/** Statements that read what a message says. */
const readings = ({ log }: Rig) => log.statements.filter((sql) => /\bbody\b/.test(sql));

describe('bullmq({ carryBody: true })', () => {
  it('delivers the very bytes, and reads none of them from the database', async () => {
    const sender = await sending({ carryBody: true });
    const messages = TITLES.map((title) =>
      sender.message({ event: 'order.placed', data: { title }, ref: '/o/1', owner: 'alice' }),
    );
    await sender.pipeline.send(messages);
    await expect.poll(jobs).toHaveLength(1);

    const worker = await open({ producer: false, pollInterval: 60_000 });
    const arrived = await receiver.waitFor(TITLES.length);
    for (const { id, json } of messages) {
      const one = arrived.find((webhook) => webhook.id === id)!;
      expect(one.body.equals(json)).toBe(true);
      expect(one.isSignedWith(SECRET)).toBe(true);
    }
    expect(readings(worker)).toEqual([]);
    await worker.until('SELECT * FROM thorn_messages', (rows) =>
      rows.every(({ due_at: due }) => due === null),
    );
  });

  it('leaves large bodies, headers and receivers of their own to the database', async () => {
    const sender = await sending({ carryBody: true });
    const secrets = [{ value: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', expiresAt: null }];
    const own = subscriber(new URL('/own', receiver.url).href, { id: 'sub_own', secrets });
    const messages = [
      sender.message({ data: { text: 'x'.repeat(65 * 1024) } }),
      sender.message({ headers: { authorization: 'Bearer 1234567890' } }),
      sender.message({ recipients: [own] }),
    ];
    await sender.pipeline.send(messages);
    await expect.poll(jobs).toHaveLength(1);
    expect(JSON.parse((await jobs())[0]!).tickets).toEqual(
      messages.map(({ id }) => ({ id, source: 0, lease: expect.any(String) })),
    );

    await open({ producer: false });
    const arrived = await receiver.waitFor(4);
    expect(arrived.filter(({ path }) => path === '/own')).toHaveLength(1);
    expect(arrived.map(({ headers }) => headers['authorization'])).toContain('Bearer 1234567890');
  });

  it('reads from the database what another version has put into the job', async () => {
    const sender = await sending({ carryBody: true });
    const message = await sender.send({ data: { title: 'as stored' } });
    await expect.poll(jobs).toHaveLength(1);
    const [key] = await client.keys(JOBS);
    const data = JSON.parse((await client.hget(key!, 'data'))!);
    data.tickets[0].contents = { title: 'of the next version' };
    await client.hset(key!, 'data', JSON.stringify(data));

    await open({ producer: false });
    const [arrived] = await receiver.waitFor(1);
    expect(arrived!.body.equals(message.json)).toBe(true);
  });

  it('is for a worker that does not know the option what it always was', async () => {
    const sender = await sending({ carryBody: true });
    const message = await sender.send({ data: { title: 'to an older one' } });
    // What an older worker sees of a ticket.
    const queue = new Queue('thorn', { connection: connectionTo(redis.port) });
    await expect.poll(() => queue.getWaitingCount()).toBe(1);
    const [job] = await queue.getWaiting();
    expect(job!.data).toMatchObject({
      version: 1,
      tickets: [{ id: message.id, source: 0, lease: expect.any(String) }],
    });
    await queue.close();
  });
});

describe('bullmq({ staging: false })', () => {
  /** A worker of a version that knows nothing of messages that are not stored. */
  function olderWorker(): { readonly worker: Worker; readonly seen: () => number } {
    let seen = 0;
    const worker = new Worker(
      'thorn',
      async ({ data }) => {
        seen++;
        if (data.version !== 1) throw new Error('no job of this version');
      },
      { connection: connectionTo(redis.port), removeOnFail: { count: 1000 } },
    );
    return { worker, seen: () => seen };
  }

  it('stores with the worker, at the first attempt, and nothing in the transaction', async () => {
    const sender = await sending({ staging: false });
    sender.log.statements.length = 0;
    const messages = TITLES.map((title) => sender.message({ data: { title } }));
    await sender.dataSource.transaction(async (manager) => {
      for (const message of messages) sender.transactions.enlist(message, manager);
    });
    await expect.poll(jobs).toHaveLength(1);
    expect(sender.log.statements.filter((sql) => /thorn_/.test(sql))).toEqual([]);

    const worker = await open({ producer: false });
    const arrived = await receiver.waitFor(TITLES.length);
    for (const { id, json } of messages) {
      expect(arrived.find((webhook) => webhook.id === id)!.body.equals(json)).toBe(true);
    }
    await expect
      .poll(async () => (await worker.deliveries.list({}, 'any')).items)
      .toEqual(messages.map(() => expect.objectContaining({ status: 'succeeded' })));
    expect(readings(worker).filter((sql) => !sql.startsWith('INSERT'))).toEqual([]);
  });

  it('sends nothing of a transaction that was rolled back', async () => {
    const sender = await sending({ staging: false });
    const work = sender.dataSource.transaction(async (manager) => {
      sender.transactions.enlist(sender.message(), manager);
      throw new Error('rolled back');
    });
    await expect(work).rejects.toThrow('rolled back');
    const fence = await sender.send();
    await open({ producer: false });
    expect((await receiver.waitFor(1)).map(({ id }) => id)).toEqual([fence.id]);
  });

  it('delivers an id once, and what was sent beside it all the same', async () => {
    const sender = await sending({ staging: false });
    const ids = ['order:1', '7'];
    for (let n = 0; n < 3; n++) {
      await sender.pipeline.send([...ids.map((id) => sender.message({ id })), sender.message()]);
    }
    await open({ producer: false });
    await receiver.waitFor(5);
    await sender.pipeline.send([sender.message({ id: '7' }), sender.message()]);
    const arrived = await receiver.waitFor(6);
    expect(new Set(arrived.map(({ id }) => id)).size).toBe(6);
    expect(arrived.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  });

  it('stores at once what may have secrets or is too large, and no secret is in Redis', async () => {
    const sender = await sending({ staging: false });
    const own = subscriber(new URL('/own', receiver.url).href, { id: 'sub_own' });
    await sender.send({ recipients: [own] });
    await sender.send({ headers: { authorization: 'Bearer 1234567890' } });
    await sender.send({ data: { text: 'x'.repeat(1024 * 1024) } });
    expect(await sender.rows('SELECT id FROM thorn_messages')).toHaveLength(3);
    await open({ producer: false });
    await receiver.waitFor(4);
  });

  it('refuses what the database would refuse, as ever', async () => {
    const sender = await sending({ staging: false });
    await expect(sender.send({ owner: 'x'.repeat(300) })).rejects.toThrow(/too long/);
  });

  it('tries again what it cannot store, and keeps nobody else from being delivered', async () => {
    const sender = await sending({ staging: false });
    await sender.rows(
      "ALTER TABLE thorn_messages ADD CONSTRAINT refuses CHECK (event <> 'refused.once')",
    );
    await open({ producer: false });
    const messages = Array.from({ length: 9 }, () => sender.message());
    await sender.pipeline.send([...messages, sender.message({ event: 'refused.once' })]);
    await receiver.waitFor(9);
    await sender.rows('ALTER TABLE thorn_messages DROP CONSTRAINT refuses');
    expect(await receiver.waitFor(10, { timeout: 15_000 })).toHaveLength(10);
  }, 30_000);

  it('waits for workers that know the option', async () => {
    const { worker: older, seen } = olderWorker();
    const sender = await sending({ staging: false });
    await sender.send();
    await expect.poll(seen).toBe(1);
    await older.close();
    await open({ producer: false });
    expect(await receiver.waitFor(1, { timeout: 15_000 })).toHaveLength(1);
  }, 30_000);

  it('loses what Redis loses, as it says', async () => {
    const said = vi.spyOn(Logger.prototype, 'warn');
    const sender = await sending({ staging: false });
    expect(said).toHaveBeenCalledWith(expect.stringMatching(/staging: false.*is lost$/));
    said.mockRestore();
    await sender.send();
    await expect.poll(jobs).toHaveLength(1);
    await client.flushall();
    const fence = await sender.send();
    const worker = await open({ producer: false });
    await receiver.waitFor(1);
    await worker.until('SELECT * FROM thorn_messages', (rows) =>
      rows.every(({ due_at: due }) => due === null),
    );
    expect(receiver.received.map(({ id }) => id)).toEqual([fence.id]);
    expect(await worker.rows('SELECT id FROM thorn_messages')).toEqual([{ id: fence.id }]);
  });
});

describe('bullmq({ staging: false }) without Redis', () => {
  it.each(['postgres', 'mariadb', 'file'] as const)(
    'stores with the sender, and loses nothing, on %s',
    async (kind) => {
      const elsewhere = await placeOf(kind);
      const down = await startRedis();
      await down.kill('SIGKILL');
      const rig = await openQueueRig(elsewhere, {
        connection: connectionTo(down.port),
        staging: false,
      });
      try {
        await rig.subscribers.create(subscriber(receiver.url, { id: 'sub_1' }));
        const messages = Array.from({ length: 20 }, () => rig.message());
        await Promise.all(messages.map((message) => rig.pipeline.send([message])));
        const arrived = await receiver.waitFor(20, { timeout: 15_000 });
        expect(arrived.map(({ id }) => id).toSorted()).toEqual(
          messages.map(({ id }) => id).toSorted(),
        );
        // And again through the queue.
        await down.restart();
        const more = Array.from({ length: 20 }, () => rig.message());
        for (const message of more) await rig.pipeline.send([message]);
        await receiver.waitFor(40, { timeout: 15_000 });
      } finally {
        await rig.close();
        await down.stop();
        await elsewhere.remove();
      }
    },
    60_000,
  );

  it('ends only once everything is stored', async () => {
    const down = await startRedis();
    const rig = await openQueueRig(place, {
      connection: connectionTo(down.port),
      staging: false,
      worker: false,
    });
    try {
      await down.kill('SIGSTOP');
      const messages = Array.from({ length: 20 }, () => rig.message());
      await rig.pipeline.send(messages);
      await rig.close();
      await open({ producer: false, synchronize: false });
      expect(await receiver.waitFor(20)).toHaveLength(20);
    } finally {
      await down.kill('SIGCONT');
      await down.stop();
    }
  }, 30_000);
});
