import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import type { OwnPostgres } from '../services/postgres.js';
import {
  RABBITMQ_START_TIMEOUT,
  type RabbitMqServer,
  startRabbitMq,
} from '../services/rabbitmq.js';
import { type RedisServer, startRedis } from '../services/redis.js';
import { printFigures } from '../support/print-figures.js';
import type { ProgramTask } from '../support/processes/program.js';
import {
  createLoggedDatabase,
  type ProgramDatabase,
  startDecodingPostgres,
} from '../support/programs/databases.js';
import { FAULTLESS, keepReport, ProgramRun } from '../support/programs/program-run.js';
import { seedsOf } from '../support/programs/seeds.js';
import { LATE, SUBSCRIBERS } from '../support/programs/subscribers.js';
import { WRITE_NAMES } from '../support/programs/writes.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const SEEDS = seedsOf(IS_LONG ? 5 : 1);
const KILLS = IS_LONG ? 12 : 2;
const REQUESTS_BETWEEN = 150;
const PATIENCE = 60_000;
type Strategy = 'outbox' | 'bullmq' | 'microservices';
const ALL: readonly { readonly kind: ProgramDatabase; readonly strategy: Strategy }[] = [
  { kind: 'postgres', strategy: 'outbox' },
  { kind: 'sqlite', strategy: 'outbox' },
  { kind: 'mariadb', strategy: 'outbox' },
  { kind: 'postgres', strategy: 'bullmq' },
  { kind: 'postgres', strategy: 'microservices' },
];
// It is enabled by one process, and these have subscribers of their own.
const { [LATE]: _, ...subscribers } = SUBSCRIBERS;

describe('processes that run random programs, and are killed', () => {
  let program: string;
  let postgres: OwnPostgres;
  let redis: RedisServer | undefined;
  let rabbit: RabbitMqServer | undefined;
  beforeAll(async () => {
    [program, postgres] = await Promise.all([
      bundleProgram('test/support/processes/program.ts', { bullmq: inject('bullmq') }),
      startDecodingPostgres(),
    ]);
    if (IS_LONG) [redis, rabbit] = await Promise.all([startRedis(), startRabbitMq()]);
  }, RABBITMQ_START_TIMEOUT);
  afterAll(async () => {
    await Promise.all([postgres.stop(), redis?.stop(), rabbit?.stop()]);
  });

  it.each(
    (IS_LONG ? ALL : ALL.slice(0, 1)).flatMap((one) => SEEDS.map((seed) => ({ ...one, seed }))),
  )(
    'send exactly what $kind has committed, with $strategy(), seed $seed',
    async ({ kind, strategy, seed }) => {
      const { place, log } = await createLoggedDatabase(kind, postgres);
      const run = await ProgramRun.start({ place, log, seed, subscribers }, { worker: false });
      const children: Child[] = [];
      let [output, started] = ['', 0];
      const start = (at: number): void => {
        const task: ProgramTask = {
          ...{ options: place.options, subscribers, hosts: run.urls },
          ...{ seed: seed * 1000 + started++, actors: 3, writes: WRITE_NAMES },
          ...relayOf(strategy),
        };
        const child = startChild(program, JSON.stringify(task));
        child.process.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
        children[at] = child;
      };
      const relayOf = (name: Strategy): Pick<ProgramTask, 'relay'> => {
        if (name === 'outbox') return {};
        const queue = `programs-${seed}`;
        if (name === 'bullmq') return { relay: { redisPort: redis!.port, queue } };
        return { relay: { rabbit: { url: rabbit!.url, queue } } };
      };
      try {
        // On SQLite, another process that writes makes transactions fail which have only read by then.
        const processes = kind === 'sqlite' ? 1 : IS_LONG ? 3 : 2;
        for (let at = 0; at < processes; at++) start(at);
        await run.whileHostsFail(async () => {
          for (let kill = 0; kill < KILLS; kill++) {
            const wanted = run.requests + REQUESTS_BETWEEN;
            await vi.waitFor(() => expect(run.requests).toBeGreaterThan(wanted), {
              timeout: PATIENCE,
            });
            await children[kill % processes]!.end('SIGKILL');
            start(kill % processes);
          }
        });
        for (const child of children) await child.printed('ready');
        for (const child of children) child.process.kill('SIGTERM');
        for (const child of children) await child.printed('idle');
        await run.settle();
        const { faults, counts, commits } = await run.check();
        printFigures(`killed programs on ${kind} with ${strategy}(), seed ${seed}`, counts);
        const steps = output.split('\n');
        const errors = steps.filter((line) => line.startsWith('error'));
        const report = { faults: { ...faults, errors }, commits, steps };
        const file = keepReport(`killed-${kind}-${strategy}-${seed}`, report);
        expect(report.faults, `what was done is in ${file}`).toEqual({ ...FAULTLESS, errors: [] });
      } finally {
        for (const child of children) await child.end('SIGKILL');
        await run.close();
        await place.drop();
      }
    },
    240_000,
  );
});
