import { Redis } from 'ioredis';
import { afterEach, expect, it, vi } from 'vitest';
import { bullmq } from '../../lib/bullmq/index.js';
import { WebhookDispatcher } from '../../lib/index.js';
import {
  LOOPBACK_RECIPIENTS,
  type ReceivedWebhook,
  ScriptedReceiver,
} from '../../lib/testing/index.js';
import { startApi } from '../support/apps/api-app.js';
import { sqliteAndPostgres } from '../support/databases.js';
import { startRedis } from '../services/redis.js';
import {
  OutputRecorder,
  callEveryRoute,
  SECRETS,
  signaturesIn,
} from '../support/output-recorder.js';

const OWN_SECRET = 'a secret of receivers that came with a message';
const TOKEN = 'Bearer a-token-of-the-receiver';
const postgres = sqliteAndPostgres.find(({ database }) => database === 'PostgreSQL')!;

const clean: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one();
});

it('a whole run with bullmq() gives Redis no body, no secret, no signature and no authorization header', async () => {
  const redis = await startRedis();
  clean.push(() => redis.stop());
  const ears = new OutputRecorder();
  // What these two say by themselves would come amidst what the monitor hears.
  const quiet = { disableClientInfo: true, enableReadyCheck: false };
  const client = new Redis({ port: redis.port, ...quiet });
  clean.push(() => client.disconnect());
  // Everything that is ever given to it, and not what is left at the end alone.
  await client.ping();
  const monitor = await client.monitor();
  clean.push(() => monitor.disconnect());
  const heard = new Set<string>();
  monitor.on('monitor', (_time: string, words: string[]) => {
    heard.add(words.join(' '));
    ears.record('Redis', words.join(' '));
  });
  const receiver = await ScriptedReceiver.start();
  clean.push(() => receiver.stop());
  const store = await postgres.create();
  clean.push(() => store.drop());
  const connection = { host: '127.0.0.1', port: redis.port };
  const api = await startApi('express', {
    store,
    thorn: {
      dispatch: bullmq({ connection, pollInterval: 25 }),
      recipients: LOOPBACK_RECIPIENTS,
      retries: { schedule: [20] },
      encryption: { keys: [{ id: 'one', key: SECRETS.key }] },
      unsubscribe: { url: 'https://api.example.com/hooks', secret: SECRETS.links },
      timeout: 500,
    },
  });
  clean.push(() => api.app.close());

  const shown = await callEveryRoute(api, receiver, new OutputRecorder());
  const dispatcher = api.app.get(WebhookDispatcher);
  const own = { url: `${receiver.url}/own?${SECRETS.query}`, secret: OWN_SECRET };
  await dispatcher.send('order.paid', { total: 5 }, { subscribers: [own] });
  await dispatcher.send('order.paid', { total: 6 }, { headers: { authorization: TOKEN } });
  await dispatcher.send('order.paid', { total: 'seven of nine' });
  const arrived = (isIt: (one: ReceivedWebhook) => boolean) => receiver.received.some(isIt);
  await vi.waitFor(() => {
    expect(arrived(({ path }) => path.includes('/own'))).toBe(true);
    expect(arrived(({ headers }) => headers['authorization'] === TOKEN)).toBe(true);
    expect(arrived(({ body }) => body.includes('seven of nine'))).toBe(true);
  });
  for (const key of await client.keys('*')) {
    // Some are gone by now, such as the locks of jobs.
    const dump: Buffer | null = await client.dumpBuffer(key);
    ears.record(key, `${key} ${dump?.toString('latin1') ?? ''}`);
  }
  await client.ping('the end');
  await vi.waitFor(() => expect(heard).toContain('ping the end'));

  const signatures = signaturesIn(receiver);
  expect(signatures.length).toBeGreaterThan(10);
  expect(ears.find([...signatures, ...shown, OWN_SECRET, TOKEN, 'alice-token'])).toEqual([]);
  expect(ears.find(Object.values(SECRETS))).toEqual([]);
  // What is searched is what jobs hold.
  expect(ears.find(['deliver']).length).toBeGreaterThan(5);
  expect(ears.find(['seven of nine', Buffer.from('seven of nine').toString('base64')])).toEqual([]);
});
