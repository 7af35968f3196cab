import 'reflect-metadata';
import { writeSync } from 'node:fs';
import type { DataSourceOptions } from 'typeorm';
import type { RateLimit } from '../../../lib/message/index.js';
import { InMemorySubscriberRepository } from '../../../lib/subscriber/index.js';
import type { BullMqAppOptions } from '../apps/bullmq-app.js';
import { startSavingArticles } from '../save-articles.js';
import type { MicroservicesAppOptions } from '../apps/microservices-app.js';
import { type OutboxApp, type OutboxAppOptions, subscriber } from '../apps/outbox-app.js';

/** What a worker of {@link startChild} is told. */
export interface RelayProcessTask {
  readonly options: DataSourceOptions;
  /** One of the two says what brings its messages. */
  readonly bullmq?: BullMqAppOptions;
  readonly microservices?: MicroservicesAppOptions;
  /** URLs of subscribers; all processes know the same ones. */
  readonly urls: readonly string[];
  /** Of all of them. Default: none. */
  readonly rateLimit?: RateLimit;
  /** It saves an article every so many milliseconds, until it is ended. Default: none. */
  readonly savesEvery?: number;
}

const task = JSON.parse(process.argv[2]!) as RelayProcessTask;
const subscribers = new InMemorySubscriberRepository();
for (const [at, url] of task.urls.entries()) {
  await subscribers.create(subscriber(url, { id: `sub_${at}`, rateLimit: task.rateLimit ?? null }));
}
const own: OutboxAppOptions = { subscribers, synchronize: false, isLogged: false };
const rig = await open();
rig.events.on('succeeded', () => writeSync(1, 'delivered\n'));
writeSync(1, 'ready\n');
const stopSaving =
  task.savesEvery === undefined ? async () => undefined : startSavingArticles(rig, task.savesEvery);
process.on('SIGTERM', () => {
  void stopSaving()
    .then(() => rig.close())
    .then(() => process.exit(0));
});
setInterval(() => undefined, 1000);

/** Loads the packages of one of the two. */
async function open(): Promise<OutboxApp> {
  if (task.microservices === undefined) {
    const { openBullMqApp } = await import('../apps/bullmq-app.js');
    return openBullMqApp(task, { ...task.bullmq, ...own });
  }
  const { openMicroservicesApp } = await import('../apps/microservices-app.js');
  return openMicroservicesApp(task, { ...task.microservices, ...own });
}
