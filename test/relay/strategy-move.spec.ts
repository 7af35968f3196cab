import { afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { connectionTo } from '../support/apps/bullmq-app.js';
import type { OutboxProcessTask } from '../support/processes/outbox.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { openOutboxApp, type OutboxApp } from '../support/apps/outbox-app.js';
import type { RelayProcessTask } from '../support/processes/relay.js';
import { RELAY_TEST_TIMEOUT, RelayLoad } from '../support/relay-load.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import { type RedisServer, startRedis } from '../services/redis.js';

const PATHS = ['/a', '/b', '/c'];
/** Milliseconds. */
const SAVES_EVERY = 10;
const ARTICLES = 60;

/** On a busy machine too, what hands work on is SIGTERM alone, and not that time is up. */
const PATIENT = { lease: 60_000, timeout: 30_000, drainTimeout: 30_000 };

let programs: { readonly outbox: string; readonly bullmq: string };
let place: TestDatabase;
let receiver: ScriptedReceiver;
let redis: RedisServer;
let observer: OutboxApp;
let children: Child[];

beforeAll(async () => {
  programs = {
    outbox: await bundleProgram('test/support/processes/outbox.ts'),
    bullmq: await bundleProgram('test/support/processes/relay.ts', { bullmq: inject('bullmq') }),
  };
});

beforeEach(async () => {
  [place, receiver, redis] = [
    await createDatabase('postgres'),
    await ScriptedReceiver.start(),
    await startRedis(),
  ];
  receiver.otherwise({ delay: 3 });
  children = [];
  // Makes the tables, and reads them.
  observer = await openOutboxApp(place, { worker: false });
});

afterEach(async () => {
  for (const child of children) await child.end('SIGKILL');
  await observer.close();
  await redis.stop();
  await receiver.stop();
  await place.drop();
});

const urls = () => PATHS.map((path) => new URL(path, receiver.url).href);

function started(program: string, task: OutboxProcessTask | RelayProcessTask): Child {
  const child = startChild(program, JSON.stringify(task));
  children.push(child);
  return child;
}

/** A process with plain `outbox()`, which sends and delivers. */
const plain = () =>
  started(programs.outbox, {
    options: place.options,
    outbox: PATIENT,
    urls: urls(),
    articles: 0,
    savesEvery: SAVES_EVERY,
  });

/** One with `bullmq()`, which sends and delivers as well. */
const queued = () =>
  started(programs.bullmq, {
    options: place.options,
    bullmq: { ...PATIENT, connection: connectionTo(redis.port) },
    urls: urls(),
    savesEvery: SAVES_EVERY,
  });

it(
  'moves from outbox() to bullmq() and back under load: no message is lost or sent twice',
  async () => {
    let running = plain();
    await running.printed('delivered');
    for (const next of [queued, plain]) {
      const before = receiver.received.length;
      const joined = next();
      await joined.printed('delivered');
      await receiver.waitFor(before + ARTICLES * PATHS.length, { timeout: RELAY_TEST_TIMEOUT });
      expect(await running.end('SIGTERM')).toBe(0);
      running = joined;
      await receiver.waitFor(receiver.received.length + ARTICLES, { timeout: RELAY_TEST_TIMEOUT });
    }
    expect(await running.end('SIGTERM')).toBe(0);
    // Whoever is last leaves what it could not deliver.
    const rest = started(programs.outbox, {
      ...{ options: place.options, outbox: PATIENT, urls: urls(), articles: 0 },
    });
    await rest.printed('ready');
    const load = new RelayLoad(observer, receiver, PATHS);
    await load.takeStored();
    expect(await load.settled()).toEqual({ lost: [], duplicates: 0, unknown: [] });
    // Every article is a message, whichever process has saved it.
    const articles = await observer.rows('SELECT id FROM article');
    expect(load.sent).toHaveLength(articles.length);
  },
  RELAY_TEST_TIMEOUT,
);
