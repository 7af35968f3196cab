import { Redis } from 'ioredis';
import { rates, ratio, reportRatio, reportValue } from './harness.js';
import { contender, ours } from './bullmq/contender.js';
import { forked } from './contenders/forked.js';
import { twoWorkers } from './bullmq/two-workers.js';
import { e1 } from './outbox/emitter.js';
import { Endpoints } from './outbox/endpoints.js';
import type { Ground } from './outbox/ground.js';
import { percentiles, ratioOf } from './outbox/latency.js';
import { e2 } from './outbox/queue.js';
import { partsOf } from './parts.js';
import { Services } from './outbox/services.js';
import { measured, SUBSCRIBERS } from './outbox/throughput.js';

const PARTS: Readonly<Record<string, (ground: Ground) => Promise<void>>> = {
  throughput,
  slow,
  commands,
  pace,
  'two-workers': twoWorkers,
};

/**
 * The distributed strategy against what one would write by hand.
 *
 * @param wanted names of parts; all when there are none
 */
export async function run(wanted: readonly string[]): Promise<void> {
  const parts = partsOf('bullmq', PARTS, wanted);
  const endpoints = await Endpoints.start();
  const services = new Services();
  try {
    for (const part of parts) {
      console.error(`-- ${part.name}`);
      await part.run({ services, endpoints });
    }
  } finally {
    await services.stop();
    await endpoints.stop();
  }
}

/** One event to ten subscribers, as fast as it goes. */
async function throughput({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const port = await services.redis();
  const found = await measured(
    [
      await forked(ours, 'bullmq()', await services.postgres(), port, urls),
      await forked(e2, 'E2', port, urls),
      await forked(e1, 'E1', urls),
    ],
    { warmUp: 3000, turn: 2000, rounds: 5, inFlight: 100 },
  );
  const of = (name: string) => found.get(name)!;
  reportRatio('bullmq.vs-e2', 'E2', ratio(of('bullmq()'), of('E2')), 4);
  reportRatio('bullmq.vs-e1', 'E1', ratio(of('bullmq()'), of('E1')), 2.5);
}

/** One of ten subscribers takes 300 ms. */
async function slow({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.withSlow(SUBSCRIBERS);
  const port = await services.redis();
  const found = await measured(
    [
      await forked(ours, 'bullmq(), one slow', await services.postgres(), port, urls),
      await forked(e2, 'E2, one slow', port, urls, 100),
    ],
    { warmUp: 3000, turn: 4000, rounds: 5, inFlight: 1000 },
  );
  const of = (name: string) => found.get(name)!;
  reportRatio('bullmq.slow-vs-e2', 'E2', ratio(of('bullmq(), one slow'), of('E2, one slow')), 2.5);
}

/** What the server was asked for one delivery, commands of scripts included. */
async function commands({ services, endpoints }: Ground): Promise<void> {
  const port = await services.redis();
  const one = await contender(
    'commands',
    await services.postgres(),
    port,
    endpoints.fast(SUBSCRIBERS),
  );
  const client = new Redis(port);
  await rates([one], { warmUp: 1000, turn: 100, rounds: 1, inFlight: 20 });
  await client.config('RESETSTAT');
  const began = performance.now();
  const [persecond] = (await rates([one], { warmUp: 1, turn: 3000, rounds: 1, inFlight: 20 })).get(
    'commands',
  )!;
  const events = (persecond! * (performance.now() - began)) / 1000;
  const stats = await client.info('commandstats');
  const calls = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  const sum = calls.reduce((total, [, , count]) => total + Number(count), 0);
  client.disconnect();
  await one.stop();
  reportValue('bullmq.redis-commands', sum / (events * SUBSCRIBERS), 'commands/delivery', 4);
}

/** 600 deliveries a second, an even load. */
async function pace({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const contenders = [
    await forked(ours, 'bullmq()', await services.postgres(), await services.redis(), urls),
    await forked(e1, 'E1', urls),
  ];
  const found = await percentiles(contenders, {
    eventsPerSecond: 60,
    warmUp: 3000,
    turn: 5000,
    rounds: 5,
  });
  for (const one of contenders) await one.stop();
  reportRatio('bullmq.p99-vs-e1', 'E1', ratioOf(found, 'bullmq()', 'E1'), 1, 'at most');
}
