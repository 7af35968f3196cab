import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { bundleProgram } from '../test/services/child.js';
import { type Forked, forked } from './contenders/forked.js';
import { median, paced, rates, ratio, reportFigure, reportRatio, reportValue } from './harness.js';
import { openSender, type Place, senders, type Work } from './orm/sender.js';
import { type Ground, runParts } from './outbox/ground.js';
import type { Services } from './outbox/services.js';
import { SUBSCRIBERS } from './outbox/throughput.js';
import { partsOf } from './parts.js';

const CLIENTS = { typeorm: 'TypeORM', prisma: 'Prisma 7', drizzle: 'Drizzle 0.45' } as const;
type Name = keyof typeof CLIENTS;
const OTHERS = ['prisma', 'drizzle'] as const;
const THROUGHPUT = { warmUp: 3000, turn: 2000, rounds: 5, inFlight: 100 };
const CPU = { warmUp: 3000, turn: 2000, rounds: 7 };
const COMMITS = 1000;
/** Milliseconds between two commits. */
const PAUSE = 15;

/** Messages in transactions of other clients than TypeORM, on PostgreSQL. @param wanted names of parts; all when there are none */
export async function run(wanted: readonly string[]): Promise<void> {
  await runParts(partsOf('orm', { throughput, cpu, latency }, wanted));
}

/** Events to ten subscribers until all have answered, alone and each in a transaction with an INSERT. */
async function throughput(ground: Ground): Promise<void> {
  const alone = await eventsOf(ground, 'send alone');
  for (const name of OTHERS) reportRatio(`orm.throughput-${name}`, 'TypeORM', alone[name], 1);
  const within = await eventsOf(ground, 'send');
  for (const name of OTHERS) {
    reportFigure(`orm.transactions-${name}`, within[name], 'times TypeORM');
  }
}

async function eventsOf({ services, endpoints }: Ground, work: Work) {
  const contenders: Forked[] = [];
  for (const name of ['typeorm', ...OTHERS] as const) {
    const place = await placeOf(services, name);
    contenders.push(await forked(senders, name, place, endpoints.fast(SUBSCRIBERS), true, work));
  }
  const found = await rates(contenders, THROUGHPUT);
  for (const contender of contenders) await contender.stop();
  for (const [name, values] of found) {
    console.error(`${name}, ${work}: ${Math.round(median(values))} events/s`);
  }
  const of = (name: Name) => ratio(found.get(name)!, found.get('typeorm')!);
  return { prisma: of('prisma'), drizzle: of('drizzle') };
}

/** Node's CPU that staging adds to a transaction, against that of one more statement of the client. */
async function cpu({ services, endpoints }: Ground): Promise<void> {
  const { warmUp, turn, rounds } = paced(CPU);
  for (const name of OTHERS) {
    const all: Forked[] = [];
    for (const work of ['nothing', 'a statement', 'send'] satisfies Work[]) {
      const place = await placeOf(services, name);
      all.push(await forked(senders, work, place, endpoints.fast(1), false, work));
    }
    for (const one of all) await one.rate(warmUp, 1);
    const found: number[][] = all.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [at, one] of all.entries()) found[at]!.push(await cost(one, turn));
    }
    for (const one of all) await one.stop();
    const [bare, statement, send] = found.map(median);
    console.error(
      `${name}: ${[bare, statement, send].map((one) => Math.round(one!)).join(', ')} µs with nothing, a statement, send`,
    );
    reportRatio(
      ...([
        `orm.staging-cpu-${name}`,
        'a statement',
        (send! - bare!) / (statement! - bare!),
      ] as const),
      1.3,
      'at most',
    );
  }
}

/** Microseconds of CPU of one transaction. */
async function cost(one: Forked, turn: number): Promise<number> {
  const before = await one.cpu();
  const began = performance.now();
  const rate = await one.rate(turn, 1);
  return ((await one.cpu()) - before) / ((rate * (performance.now() - began)) / 1000);
}

/** From the end of a COMMIT to the arrival of the request, one after another; and the statements that staging takes. */
async function latency({ services }: Ground): Promise<void> {
  const arrivals = new Map<string, number>();
  let arrived = () => {};
  const server = createServer((request, response) => {
    arrivals.set(String(request.headers['webhook-id']), performance.now());
    request.resume().on('end', () => response.writeHead(204).end());
    arrived();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (const name of OTHERS) {
    const sender = await openSender(name, await placeOf(services, name), [url]);
    const found: number[] = [];
    for (let n = 0; n < 1.2 * COMMITS; n++) {
      const { id, at } = await sender.commit();
      while (!arrivals.has(id)) await new Promise<void>((resolve) => (arrived = resolve));
      // The first ones find code that is not compiled yet.
      if (n >= 0.2 * COMMITS) found.push(Math.max(0, arrivals.get(id)! - at));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    // The first transaction is asked which database it is of.
    const { statements, messages } = sender.staged;
    await sender.stop();
    found.sort((a, b) => a - b);
    reportValue(`orm.statements-${name}`, Math.floor(statements / messages), 'statements', 1);
    reportValue(`orm.commit-to-request-p50-${name}`, found[found.length >> 1]!, 'ms', 6);
    reportValue(
      `orm.commit-to-request-p99-${name}`,
      found[Math.floor(found.length * 0.99)]!,
      'ms',
      45,
    );
  }
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function placeOf(services: Services, name: Name): Promise<Place> {
  const { url } = (await services.postgres()) as { readonly url: string };
  const workspace = join('test', 'clients', name === 'prisma' ? 'prisma-7' : 'drizzle');
  // There its packages are found.
  const opener = await bundleProgram(join(workspace, 'open.ts'), {}, join(workspace, '.cache'));
  return { client: CLIENTS[name], opener, url };
}
