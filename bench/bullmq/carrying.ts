import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { BullMqOptions } from '../../lib/bullmq/index.js';
import { InMemorySubscriberRepository } from '../../lib/subscriber/index.js';
import { openQueueRig } from '../../test/support/apps/bullmq-app.js';
import { type Rig, subscriber } from '../../test/support/apps/outbox-app.js';
import { median } from '../harness.js';
import { DATA } from '../outbox/contender.js';
import type { Ground } from '../outbox/ground.js';

const WAYS: Readonly<Record<string, BullMqOptions>> = {
  'as it comes': {},
  carryBody: { carryBody: true },
  'staging: false': { staging: false },
};
const SUBSCRIBERS = [1, 10];
const WARM_UP = 1000;
const EVENTS = 2000;
const ROUNDS = 3;
const IN_FLIGHT = 100;
const TICK = 10;

/** Milliseconds of CPU. */
interface Spent {
  readonly node: number;
  readonly postgres: number;
  readonly redis: number;
}

/** What an event costs in CPU when jobs carry what it says: one sender and one worker, which share this process. */
export async function carrying(ground: Ground): Promise<void> {
  for (const subscribers of SUBSCRIBERS) {
    const found = new Map<string, Spent[]>();
    // In turns, so that what else the machine does meets all of them.
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, options] of Object.entries(WAYS)) {
        found.set(name, [...(found.get(name) ?? []), await spent(ground, options, subscribers)]);
      }
    }
    for (const [name, rounds] of found) {
      const part = (key: keyof Spent) => Math.round(median(rounds.map((one) => one[key])));
      console.error(
        `${subscribers} subscriber(s), ${name}: ${part('node')} µs of Node, ${part('postgres')} of PostgreSQL, ${part('redis')} of Redis per event`,
      );
    }
  }
}

/** Microseconds of CPU for each event. */
async function spent(
  { services, endpoints }: Ground,
  options: BullMqOptions,
  count: number,
): Promise<Spent> {
  const place = { options: await services.postgres() };
  const port = await services.redis();
  const client = new Redis(port);
  await client.flushall();
  const subscribers = new InMemorySubscriberRepository();
  for (const [at, url] of endpoints.fast(count).entries()) {
    await subscribers.create(subscriber(url, { id: `sub_${at}` }));
  }
  const shared = {
    ...options,
    connection: { host: '127.0.0.1', port },
    isLogged: false,
    subscribers,
    recipients: { allowedPorts: 'any', allowCidrs: ['127.0.0.0/8'] } as const,
  };
  const sender = await openQueueRig(place, { ...shared, worker: false });
  const worker = await openQueueRig(place, { ...shared, synchronize: false });
  let delivered = 0;
  worker.events.on('succeeded', () => delivered++);
  await send(sender, WARM_UP, () => delivered, count);
  const pids = await sender.rows(
    'SELECT pid FROM pg_stat_activity WHERE datname = current_database()',
  );
  const redisPid = Number(/process_id:(\d+)/.exec(await client.info('server'))![1]);
  const used = () => ({
    node: process.cpuUsage(),
    postgres: pids.reduce((sum, { pid }) => sum + cpuOf(Number(pid)), 0),
    redis: cpuOf(redisPid),
  });
  const before = used();
  await send(sender, EVENTS, () => delivered, count);
  const node = process.cpuUsage(before.node);
  const after = used();
  await sender.close();
  await worker.close();
  client.disconnect();
  return {
    node: (node.user + node.system) / EVENTS,
    postgres: ((after.postgres - before.postgres) * 1000) / EVENTS,
    redis: ((after.redis - before.redis) * 1000) / EVENTS,
  };
}

/** Each event in a transaction of its own, so many of them at once, until all are delivered. */
async function send(
  sender: Rig,
  events: number,
  delivered: () => number,
  subscribers: number,
): Promise<void> {
  const goal = delivered() + events * subscribers;
  let left = events;
  const one = async () => {
    while (left-- > 0) {
      await sender.dataSource.transaction(async (manager) => {
        sender.transactions.enlist(sender.message({ data: DATA }), manager);
      });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  while (delivered() < goal) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Milliseconds that a process has computed; 0 once it has ended. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  } catch {
    return 0;
  }
}
