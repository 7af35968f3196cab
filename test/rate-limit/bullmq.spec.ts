import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';

import { connectionTo, openBullMqApp } from '../support/apps/bullmq-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { maxWithin, attemptStarts } from '../support/attempt-starts.js';
import type { RelayProcessTask } from '../support/processes/relay.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import { type RedisServer, startRedis } from '../services/redis.js';

const RATE = { max: 20, per: 2000 };
/** Milliseconds between two attempts: one may be late by as much. */
const INTERVAL = RATE.per / RATE.max;
const OPEN = 'SELECT id FROM thorn_deliveries WHERE due_at IS NOT NULL';
const MESSAGES = 'SELECT id FROM thorn_pending_messages';
const nothing = (rows: unknown[]) => rows.length === 0;

describe('a rate limit of bullmq() in two workers', () => {
  let program: string;
  let place: TestDatabase;
  let receiver: ScriptedReceiver;
  let redis: RedisServer;
  let sender: OutboxApp;
  const children: Child[] = [];

  beforeAll(async () => {
    program = await bundleProgram('test/support/processes/relay.ts', { bullmq: inject('bullmq') });
  });

  beforeEach(async () => {
    [place, receiver, redis] = [
      await createDatabase('postgres'),
      await ScriptedReceiver.start(),
      await startRedis(),
    ];
    const connection = connectionTo(redis.port);
    // As short as that of the workers: what Redis loses is delivered once it has run out.
    sender = await openBullMqApp(place, { connection, worker: false, lease: 2000 });
    await sender.subscribers.create(subscriber(receiver.url, { id: 'sub_0', rateLimit: RATE }));
    const task: RelayProcessTask = {
      options: place.options,
      bullmq: { connection, lease: 2000 },
      urls: [receiver.url],
      rateLimit: RATE,
    };
    for (let n = 0; n < 2; n++) {
      const child = startChild(program, JSON.stringify(task));
      children.push(child);
      await child.printed('ready');
    }
  });

  afterEach(async () => {
    for (const child of children.splice(0)) await child.end('SIGKILL');
    await sender.close();
    await redis.stop();
    await receiver.stop();
    await place.drop();
  });

  /** Once everything has been delivered: how many messages, and most of them within the time of the limit. */
  async function delivered(): Promise<readonly [messages: number, most: number]> {
    await sender.until(MESSAGES, nothing);
    await sender.until(OPEN, nothing);
    const ids = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
    return [ids.size, maxWithin(await attemptStarts(sender, 'sub_0'), RATE.per - INTERVAL)];
  }

  it('is kept while Redis is down, and when Redis comes back empty', async () => {
    for (let n = 0; n < 80; n++) await sender.send();
    await receiver.waitFor(25);
    await redis.kill('SIGKILL');
    await receiver.waitFor(45);
    await redis.restart();
    const [messages, most] = await delivered();
    expect(messages).toBe(80);
    expect(most).toBeLessThanOrEqual(RATE.max);
  });
});
