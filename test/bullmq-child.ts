import 'reflect-metadata';
import { writeSync } from 'node:fs';
import type { DataSourceOptions } from 'typeorm';
import { InMemorySubscriberRepository } from '../lib/subscriber/index.js';
import { openQueueRig, type QueueRigOptions } from './bullmq-rig.js';
import { subscriber } from './outbox-rig.js';

/** What a worker of {@link startChild} is told. */
export interface QueueChildTask {
  readonly options: DataSourceOptions;
  readonly bullmq: QueueRigOptions;
  /** URLs of subscribers; all processes know the same ones. */
  readonly urls: readonly string[];
}

const task = JSON.parse(process.argv[2]!) as QueueChildTask;
const subscribers = new InMemorySubscriberRepository();
for (const [at, url] of task.urls.entries()) {
  await subscribers.create(subscriber(url, { id: `sub_${at}` }));
}
const rig = await openQueueRig(
  { options: task.options },
  { ...task.bullmq, subscribers, synchronize: false, isLogged: false },
);
rig.events.on('delivered', () => writeSync(1, 'delivered\n'));
writeSync(1, 'ready\n');
process.on('SIGTERM', () => void rig.close().then(() => process.exit(0)));
setInterval(() => undefined, 1000);
