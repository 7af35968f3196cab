import { type DataSourceOptions } from 'typeorm';
import { openOutboxApp, type OutboxApp, subscriber } from '../../test/support/apps/outbox-app.js';
import type { Subscriber } from '../../lib/subscriber/index.js';
import { OrderedReceiver } from '../../test/support/ordered-receiver.js';
import { median, paced, ratio, reportRatio } from '../harness.js';
import type { Services } from '../outbox/services.js';
import { startReceiver, startSlowReceiver } from '../receiver.js';

type Place = () => Promise<DataSourceOptions>;

const KEYS = 1000;
const AT_ONCE = 250;
const MESSAGES = 3000;
const ROUNDS = 5;
const SAMPLES = 2000;
/** Milliseconds that each side runs before anything counts. */
const WARM_UP = 3000;
const RTT = 50;
const BLOCKED = 10_000;
const HOUR = 60 * 60_000;

/** Deliveries of 1,000 keys to an ordered subscriber, against the same to one that is not. */
export async function manyKeys(services: Services): Promise<void> {
  const receiver = await startReceiver();
  const url = `http://127.0.0.1:${receiver.port}/hooks`;
  for (const [name, place] of placesOf(services)) {
    const ordered = await open(await place(), subscriber(url, { ordered: true }));
    const plain = await open(await place(), subscriber(url));
    const keyed = (at: number) => ({ orderBy: { key: `key ${at % KEYS}` } });
    const value = await compared([ordered, keyed], [plain, keyed], name);
    reportRatio(`order.many-keys${suffixOf(name)}`, 'unordered', value, 0.7);
    for (const app of [ordered, plain]) await app.close();
  }
  await receiver.stop();
}

/** Messages without a key where nothing is ordered, against the same beside an ordered subscriber with a backlog. */
export async function unorderedCost(services: Services): Promise<void> {
  const receiver = await startReceiver();
  const url = `http://127.0.0.1:${receiver.port}/hooks`;
  for (const [name, place] of placesOf(services)) {
    const alone = await open(await place(), subscriber(url));
    const beside = await open(await place(), subscriber(url));
    const refusing = subscriber('http://127.0.0.1:10009/', { ordered: true, events: ['blocked'] });
    await beside.subscribers.create(refusing);
    await block(beside, 1000, { event: 'blocked' });
    const keyless = () => ({ event: 'order.placed' });
    const value = await compared([alone, keyless], [beside, keyless], name);
    reportRatio(`order.unordered-cost${suffixOf(name)}`, 'none ordered', value, 1.03, 'at most');
    for (const app of [alone, beside]) await app.close();
  }
  await receiver.stop();
}

/** Deliveries of one key a second, times the seconds that one request takes. */
export async function oneKey(services: Services): Promise<void> {
  const receiver = await startSlowReceiver(RTT);
  const url = `http://127.0.0.1:${receiver.port}/hooks`;
  for (const [name, place] of placesOf(services)) {
    const app = await open(await place(), subscriber(url, { ordered: true }));
    const values: number[] = [];
    for (let round = 0; round < paced({ warmUp: 0, turn: 0, rounds: ROUNDS }).rounds; round++) {
      const rtt = await roundTrip(url);
      const perSecond = await rateOf(app, 60, () => ({ orderBy: { key: 'one' } }));
      values.push(perSecond * rtt);
    }
    reportRatio(`order.one-key${suffixOf(name)}`, '1/RTT', median(values), 0.8);
    await app.close();
  }
  await receiver.stop();
}

/** The 99th percentile of other keys, with a key that is blocked and 10,000 messages behind it, against none. */
export async function blockedP99(services: Services): Promise<void> {
  const receiver = await OrderedReceiver.start();
  receiver.reply = ({ key }) => ({ status: key === 'blocked' ? 500 : 204 });
  for (const [name, place] of placesOf(services)) {
    const ordered = subscriber(receiver.url(), { ordered: true });
    const [blocked, free] = [
      await open(await place(), ordered),
      await open(await place(), ordered),
    ];
    await block(blocked, BLOCKED, {});
    const found = { blocked: [] as number[], free: [] as number[] };
    for (const app of [blocked, free]) await warmUp(() => percentile(app));
    for (let round = 0; round < paced({ warmUp: 0, turn: 0, rounds: 7 }).rounds; round++) {
      found.blocked.push(await percentile(blocked));
      found.free.push(await percentile(free));
      receiver.arrivals.length = 0;
    }
    console.error(
      `${name}: p99 ${median(found.blocked).toFixed(1)} ms blocked, ${median(found.free).toFixed(1)} ms free`,
    );
    const value = ratio(found.blocked, found.free);
    reportRatio(`order.blocked-p99${suffixOf(name)}`, 'none blocked', value, 1.1, 'at most');
    for (const app of [blocked, free]) await app.close();
  }
  await receiver.stop();
}

type Draft = NonNullable<Parameters<OutboxApp['send']>[0]>;

function placesOf(services: Services): readonly (readonly [string, Place])[] {
  return [
    ['PostgreSQL', () => services.postgres()],
    ['SQLite', async () => services.sqlite()],
  ];
}

function suffixOf(name: string): string {
  return name === 'PostgreSQL' ? '' : '-sqlite';
}

async function open(options: DataSourceOptions, to: Subscriber): Promise<OutboxApp> {
  const app = await openOutboxApp(
    { options },
    { isLogged: false, pollInterval: 1000, schedule: [HOUR] },
  );
  await app.subscribers.create(to);
  return app;
}

/** Sends so many messages of one key, of which the first one fails. */
async function block(app: OutboxApp, count: number, draft: Draft): Promise<void> {
  const messages = Array.from({ length: count }, () =>
    app.message({ ...draft, orderBy: { key: 'blocked' } }),
  );
  await app.pipeline.send(messages);
  await app.until('SELECT COUNT(*) AS count FROM thorn_deliveries', ([row]) => {
    return Number(row!['count']) >= count;
  });
}

/** The median of the ratios of two rates, measured by turns. */
async function compared(
  [one, oneDraft]: readonly [OutboxApp, (at: number) => Draft],
  [other, otherDraft]: readonly [OutboxApp, (at: number) => Draft],
  name: string,
): Promise<number> {
  const found = { one: [] as number[], other: [] as number[] };
  await warmUp(() => rateOf(one, MESSAGES, oneDraft));
  await warmUp(() => rateOf(other, MESSAGES, otherDraft));
  for (let round = 0; round < paced({ warmUp: 0, turn: 0, rounds: ROUNDS }).rounds; round++) {
    found.one.push(await rateOf(one, MESSAGES, oneDraft));
    found.other.push(await rateOf(other, MESSAGES, otherDraft));
  }
  console.error(
    `${name}: ${Math.round(median(found.one))} deliveries/s against ${Math.round(median(found.other))}`,
  );
  return ratio(found.one, found.other);
}

/** Measures for some seconds what is not to count. */
async function warmUp(measure: () => Promise<number>): Promise<void> {
  const end = performance.now() + paced({ warmUp: WARM_UP, turn: 0, rounds: 1 }).warmUp;
  do await measure();
  while (performance.now() < end);
}

/** Sends messages, and waits until they are delivered. @returns deliveries a second */
async function rateOf(
  app: OutboxApp,
  count: number,
  draft: (at: number) => Draft,
): Promise<number> {
  let left = count;
  const all = new Promise<void>((resolve) => {
    const stop = app.events.on('succeeded', () => {
      if (--left > 0) return;
      stop();
      resolve();
    });
  });
  const began = performance.now();
  let at = 0;
  const send = async () => {
    while (at < count) await app.send(draft(at++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
  await all;
  return (count / (performance.now() - began)) * 1000;
}

/** Milliseconds between a message and its delivery that 99 of 100 do not exceed, at 200 a second. */
async function percentile(app: OutboxApp): Promise<number> {
  const count = SAMPLES;
  const sentAt = new Map<string, number>();
  const taken: number[] = [];
  const all = new Promise<void>((resolve) => {
    const stop = app.events.on('succeeded', ({ messageId }) => {
      taken.push(performance.now() - sentAt.get(messageId)!);
      if (taken.length < count) return;
      stop();
      resolve();
    });
  });
  for (let at = 0; at < count; at++) {
    const message = app.message({ orderBy: { key: `key ${at % 100}` } });
    sentAt.set(message.id, performance.now());
    void app.pipeline.send([message]);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await all;
  return taken.toSorted((one, other) => one - other)[Math.floor(count * 0.99)]!;
}

/** The median of the seconds that one request takes. */
async function roundTrip(url: string): Promise<number> {
  const taken: number[] = [];
  for (let count = 0; count < 9; count++) {
    const began = performance.now();
    await (await fetch(url, { method: 'POST', body: '{}' })).arrayBuffer();
    taken.push(performance.now() - began);
  }
  return median(taken) / 1000;
}
