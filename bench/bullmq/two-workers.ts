import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DataSourceOptions } from 'typeorm';
import { openQueueRig } from '../../test/bullmq-rig.js';
import { median, reportRatio } from '../harness.js';
import { DATA } from '../outbox/contender.js';
import type { Ground } from '../outbox/ground.js';
import { SUBSCRIBERS } from '../outbox/throughput.js';

/** What a worker is told. */
export interface WorkerTask {
  readonly options: DataSourceOptions;
  readonly connection: { readonly host: string; readonly port: number };
  readonly urls: readonly string[];
}

const EVENTS = 4000;
const ROUNDS = 3;

/** A queue that is full already, delivered by one worker process and by two. */
export async function twoWorkers({ services, endpoints }: Ground): Promise<void> {
  const connection = { host: '127.0.0.1', port: await services.redis() };
  const urls = endpoints.fast(SUBSCRIBERS);
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const speeds: number[] = [];
    for (const workers of [1, 2]) {
      const options = await services.postgres();
      speeds.push(await speed({ options, connection, urls }, workers));
    }
    console.error(
      `one worker ${Math.round(speeds[0]!)}, two ${Math.round(speeds[1]!)} deliveries/s`,
    );
    ratios.push(speeds[1]! / speeds[0]!);
  }
  reportRatio('bullmq.two-workers', 'one worker', median(ratios), 1.7);
}

/** Deliveries a second, between the first tenth and the last. */
async function speed(task: WorkerTask, workers: number): Promise<number> {
  const { options, connection } = task;
  const sender = await openQueueRig(
    { options },
    { connection, worker: false, isLogged: false, lease: 600_000 },
  );
  for (let sent = 0; sent < EVENTS; sent += 100) {
    const messages = Array.from({ length: 100 }, () => sender.message({ data: DATA }));
    for (const message of messages) await sender.pipeline.send([message]);
  }
  const children = Array.from({ length: workers }, () =>
    fork(fileURLToPath(new URL('worker.js', import.meta.url)), [JSON.stringify(task)]),
  );
  const all = EVENTS * SUBSCRIBERS;
  const began = await reached(children, all * 0.1);
  const ended = await reached(children, all * 0.9);
  for (const child of children) child.kill('SIGKILL');
  await sender.close();
  return ((ended.count - began.count) * 1000) / (ended.at - began.at);
}

const counts = new WeakMap<ChildProcess, number>();

/** Resolves when the workers have made so many deliveries together. */
function reached(
  children: readonly ChildProcess[],
  goal: number,
): Promise<{ readonly count: number; readonly at: number }> {
  return new Promise((resolve) => {
    const note = function (this: ChildProcess, delivered: unknown) {
      counts.set(this, delivered as number);
      const count = children.reduce((sum, child) => sum + (counts.get(child) ?? 0), 0);
      if (count < goal) return;
      for (const child of children) child.off('message', note);
      resolve({ count, at: performance.now() });
    };
    for (const child of children) child.on('message', note);
  });
}
