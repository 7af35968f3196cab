import { createServer } from 'node:http';
import type { DataSourceOptions } from 'typeorm';
import { Agent } from 'undici';
import { type ContenderModule, type Forked, forked } from '../contenders/forked.js';
import { median, paced, ratio, reportRatio, reportValue } from '../harness.js';
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

/** Milliseconds that the route takes to answer, in one turn. */
interface AnswerTimes {
  readonly p99: number;
  readonly max: number;
}

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
    const { busy, idle } = await answerTimes(one, `http://127.0.0.1:${port}`);
    await one.stop();
    const [busyP99, idleP99] = [busy.map(({ p99 }) => p99), idle.map(({ p99 }) => p99)];
    const [stall, idleStall] = [busy, idle].map((turns) => median(turns.map(({ max }) => max)));
    console.error(
      `${name}: p99 of the route ${median(busyP99).toFixed(2)} ms, idle ${median(idleP99).toFixed(2)} ms; ` +
        `its longest answer of a turn ${stall!.toFixed(1)} ms, idle ${idleStall!.toFixed(1)} ms`,
    );
    reportRatio(`outbox.neighbour-p99-${name}`, 'idle', ratio(busyP99, idleP99), 2, 'at most');
    reportValue(`outbox.neighbour-stall-${name}`, stall!, 'ms', 15);
  }
}

async function answerTimes(one: Forked, url: string) {
  const agent = new Agent({ connections: 50 });
  const busy: AnswerTimes[] = [];
  const idle: AnswerTimes[] = [];
  const { warmUp, turn, rounds } = paced(PACE);
  await Promise.all([one.latencies(PACE, warmUp), ask(agent, url, warmUp)]);
  for (let round = 0; round < rounds; round++) {
    const [found] = await Promise.all([ask(agent, url, turn), one.latencies(PACE, turn)]);
    busy.push(found);
    idle.push(await ask(agent, url, turn));
  }
  await agent.destroy();
  return { busy, idle };
}

/** Requests at an even pace, whether the ones before were answered or not. */
async function ask(agent: Agent, url: string, milliseconds: number): Promise<AnswerTimes> {
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
  found.sort((a, b) => a - b);
  return { p99: found[Math.floor(found.length * 0.99)]!, max: found.at(-1)! };
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
