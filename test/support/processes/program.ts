import 'reflect-metadata';
import { writeSync } from 'node:fs';
import type { DataSourceOptions } from 'typeorm';
import { seededRandom } from '../seeded-random.js';
import { openBullMqApp } from '../apps/bullmq-app.js';
import { openMicroservicesApp, type RabbitQueue } from '../apps/microservices-app.js';
import { openOutboxApp } from '../apps/outbox-app.js';
import { sqliteAudit } from '../commits/audit-triggers.js';
import { Actor } from '../programs/program.js';
import { createSubscribers, programOptions, type SubscriberPlan } from '../programs/subscribers.js';

/** What a process is told that runs programs, and delivers. */
export interface ProgramTask {
  readonly options: DataSourceOptions;
  readonly subscribers: Readonly<Record<string, SubscriberPlan>>;
  /** URLs of their hosts. */
  readonly hosts: readonly string[];
  readonly seed: number;
  readonly actors: number;
  /** Names of the writes that they make. */
  readonly writes: readonly string[];
  /** What brings messages to workers. Default: the database alone. */
  readonly relay?:
    { readonly redisPort: number; readonly queue: string } | { readonly rabbit: RabbitQueue };
}

const task = JSON.parse(process.argv[2]!) as ProgramTask;
const { relay, seed } = task;
const isSqlite = task.options.type === 'better-sqlite3';
const log = sqliteAudit();
const place = {
  options: { ...task.options, ...(isSqlite && log.options) } as DataSourceOptions,
};
const options = {
  ...programOptions(),
  synchronize: false,
  subscribers: await createSubscribers(task.subscribers, task.hosts),
};
const open = () => {
  if (relay === undefined) return openOutboxApp(place, options);
  return 'rabbit' in relay
    ? openMicroservicesApp(place, { ...options, rabbit: relay.rabbit })
    : openBullMqApp(place, {
        ...options,
        queue: relay.queue,
        connection: { host: '127.0.0.1', port: relay.redisPort },
      });
};
const app = await open();
if (isSqlite) log.join(app.dataSource);
const over = new AbortController();
const actors = Array.from(
  { length: task.actors },
  (_, at) => new Actor(`p${seed}a${at}`, app, seededRandom(seed * 101 + at), task.writes),
);
const running = Promise.all(
  actors.map(async (actor) => {
    while (!over.signal.aborted) {
      await actor.run(1);
      for (const step of actor.steps.splice(0)) writeSync(1, `${step}\n`);
      for (const error of actor.errors.splice(0)) writeSync(1, `error ${error}\n`);
    }
  }),
);
process.on('SIGTERM', () => {
  over.abort();
  void running.then(() => writeSync(1, 'idle\n'));
});
writeSync(1, 'ready\n');
setInterval(() => undefined, 1000);
