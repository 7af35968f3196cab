import { reportRatio } from '../harness.js';
import { forked } from '../contenders/forked.js';
import { ours } from './application.js';
import type { Ground } from './ground.js';
import { percentiles, ratioOf } from './latency.js';

const HOSTS = 100;

/** One host among a hundred never answers, or refuses: what the others notice of it. Ten events a second to all. */
export async function deadHost({ services, endpoints }: Ground): Promise<void> {
  const open = (name: string, urls: readonly string[]) =>
    forked(ours, name, services.sqlite(), urls, {}, HOSTS - 1);
  const contenders = [
    await open('all well', endpoints.fast(HOSTS)),
    await open('one never answers', endpoints.withSilent(HOSTS)),
    await open('one refuses', endpoints.withRefusing(HOSTS)),
  ];
  const found = await percentiles(contenders, {
    eventsPerSecond: 10,
    warmUp: 3000,
    turn: 5000,
    rounds: 7,
    subscribers: HOSTS - 1,
  });
  for (const contender of contenders) await contender.stop();
  const value = Math.max(
    ratioOf(found, 'one never answers', 'all well'),
    ratioOf(found, 'one refuses', 'all well'),
  );
  reportRatio('outbox.dead-host-p99', 'all well', value, 1.2, 'at most');
}
