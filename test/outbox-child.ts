import 'reflect-metadata';
import { writeSync } from 'node:fs';
import type { DataSourceOptions } from 'typeorm';
import { InMemorySubscriberRepository } from '../lib/subscriber/index.js';
import { Article, openRig, type RigOptions, subscriber } from './outbox-rig.js';

/** What a process of {@link startChild} is told. */
export interface ChildTask {
  readonly options: DataSourceOptions;
  readonly outbox: RigOptions;
  /** URLs of subscribers; all processes know the same ones. */
  readonly urls: readonly string[];
  /** Articles to save, one after the other. */
  readonly articles: number;
  /** Dies between the commit of the first article and its hand-over. */
  readonly diesAfterCommit?: boolean;
}

const task = JSON.parse(process.argv[2]!) as ChildTask;
const subscribers = new InMemorySubscriberRepository();
for (const [at, url] of task.urls.entries()) {
  await subscribers.create(subscriber(url, { id: `sub_${at}` }));
}
const rig = await openRig(
  { options: task.options },
  {
    ...task.outbox,
    subscribers,
    synchronize: false,
    prepare: (dataSource) => {
      if (task.diesAfterCommit !== true) return;
      dataSource.subscribers.unshift({
        afterTransactionCommit: () => void process.kill(process.pid, 'SIGKILL'),
      });
    },
  },
);
writeSync(1, 'ready\n');
for (let n = 0; n < task.articles; n++) {
  await rig.dataSource.manager.save(Object.assign(new Article(), { title: `${n}` }));
}
writeSync(1, 'done\n');
process.on('SIGTERM', () => void rig.close().then(() => process.exit(0)));
setInterval(() => undefined, 1000);
