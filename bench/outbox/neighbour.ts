import { createServer } from 'node:http';
import type { DataSourceOptions } from 'typeorm';
import { Agent } from 'undici';
import { type ContenderModule, type Forked, forked } from '../contenders/forked.js';
import { median, paced, ratio, reportRatio } from '../harness.js';
import { freePort } from '../receiver.js';
import { application } from './application.js';
import type { Contender } from './contender.js';
import type { Ground } from './ground.js';
import { SUBSCRIBERS } from './throughput.js';

const DELIVERIES_PER_SECOND = 3000;
const REQUESTS_PER_SECOND = 200;
const PACE = {
  eventsPerSecond: DELIVERIES_PER_SECOND / SUBSCRIBERS,
  warmUp: 3000,
  turn: 4000,
  rounds: 5,
};

/** A route of the same application, while it delivers and while it does not. */
export async function neighbour({ services, endpoints }: Ground): Promise<void> {
  const urls = endpoints.fast(SUBSCRIBERS);
  const databases: readonly [string, DataSourceOptions][] = [
    ['sqlite', services.sqlite()],
    ['postgres', await services.postgres()],
  ];
  for (const [name, options] of databases) {
    const port = await freePort();
    const one = await forked(neighbours, name, options, urls, port);
    const { busy, idle } = await percentiles(one, `http://127.0.0.1:${port}`);
    await one.stop();
    console.error(
      `${name}: p99 of the route ${median(busy).toFixed(2)} ms, idle ${median(idle).toFixed(2)} ms`,
    );
    reportRatio(`outbox.neighbour-p99-${name}`, 'idle', ratio(busy, idle), 1.5, 'at most');
  }
}

async function percentiles(one: Forked, url: string) {
  const agent = new Agent({ connections: 50 });
  const busy: number[] = [];
  const idle: number[] = [];
  const { warmUp, turn, rounds } = paced(PACE);
  await Promise.all([one.latencies(PACE, warmUp), p99(agent, url, warmUp)]);
  for (let round = 0; round < rounds; round++) {
    const [found] = await Promise.all([p99(agent, url, turn), one.latencies(PACE, turn)]);
    busy.push(found);
    idle.push(await p99(agent, url, turn));
  }
  await agent.destroy();
  return { busy, idle };
}

/** Requests at an even pace, whether the ones before were answered or not. */
async function p99(agent: Agent, url: string, milliseconds: number): Promise<number> {
  const found: number[] = [];
  const begin = performance.now();
  const count = Math.floor((milliseconds * REQUESTS_PER_SECOND) / 1000);
  const sent: Promise<void>[] = [];
  for (let n = 0; n < count; n++) {
    const wait = begin + (n * 1000) / REQUESTS_PER_SECOND - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const began = performance.now();
    sent.push(
      agent
        .request({ origin: url, path: '/', method: 'GET' })
        .then(({ body }) => body.dump())
        .then(() => void found.push(performance.now() - began)),
    );
  }
  await Promise.all(sent);
  return found.sort((a, b) => a - b)[Math.floor(found.length * 0.99)]!;
}

/** {@link application} with a route beside it. */
export async function neighbourly(
  name: string,
  options: DataSourceOptions,
  urls: readonly string[],
  port: number,
): Promise<Contender> {
  const one = await application(name, options, urls);
  const server = createServer((_, answer) => answer.end('{"ok":true}'));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await one.stop();
  };
  return { name, send: one.send, once: one.once, stop };
}

/** {@link neighbourly} for a process of its own. */
export const neighbours: ContenderModule<Parameters<typeof neighbourly>> = {
  url: import.meta.url,
  open: neighbourly,
};
