import { afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { connectionTo } from '../support/apps/bullmq-app.js';
import type { ChildTask } from '../support/processes/outbox.js';
import { placeOf } from '../support/databases.js';
import { openRig, type Place, type Rig } from '../support/apps/outbox-app.js';
import type { RelayChildTask } from '../support/processes/relay.js';
import { PATIENCE, RelayLoad } from '../support/relay-load.js';
import { bundled, type Child, startChild } from '../services/child.js';
import { type RedisServer, startRedis } from '../services/redis.js';

const PATHS = ['/a', '/b', '/c'];
/** Milliseconds. */
const SAVES_EVERY = 10;
const ARTICLES = 60;

/** On a busy machine too, what hands work on is SIGTERM alone, and not that time is up. */
const PATIENT = { lease: 60_000, timeout: 30_000, drainTimeout: 30_000 };

let programs: { readonly outbox: string; readonly bullmq: string };
let place: Place;
let receiver: ScriptedReceiver;
let redis: RedisServer;
let observer: Rig;
let children: Child[];

beforeAll(async () => {
  programs = {
    outbox: await bundled('test/support/processes/outbox.ts'),
    bullmq: await bundled('test/support/processes/relay.ts', { bullmq: inject('bullmq') }),
  };
}, 60_000);

beforeEach(async () => {
  [place, receiver, redis] = [
    await placeOf('postgres'),
    await ScriptedReceiver.start(),
    await startRedis(),
  ];
  receiver.otherwise({ delay: 3 });
  children = [];
  // Makes the tables, and reads them.
  observer = await openRig(place, { worker: false });
}, 60_000);

afterEach(async () => {
  for (const child of children) await child.end('SIGKILL');
  await observer.close();
  await redis.stop();
  await receiver.stop();
  await place.remove();
}, 60_000);

const urls = () => PATHS.map((path) => new URL(path, receiver.url).href);

function started(program: string, task: ChildTask | RelayChildTask): Child {
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
  'moves from outbox() to bullmq() and back under load: nothing is lost, and nothing sent twice',
  async () => {
    let running = plain();
    await running.printed('delivered');
    for (const next of [queued, plain]) {
      const before = receiver.received.length;
      const joined = next();
      await joined.printed('delivered');
      await receiver.waitFor(before + ARTICLES * PATHS.length, { timeout: PATIENCE });
      expect(await running.end('SIGTERM')).toBe(0);
      running = joined;
      await receiver.waitFor(receiver.received.length + ARTICLES, { timeout: PATIENCE });
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
  PATIENCE,
);
