import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { DataSourceOptions } from 'typeorm';
import { InMemorySubscriberRepository, type Subscriber } from '../../../lib/subscriber/index.js';
import { openClientOutbox } from '../apps/client-outbox.js';
import { type OutboxAppOptions, subscriber } from '../apps/outbox-app.js';
import { startSavingArticles } from '../save-articles.js';

/** What a process of {@link startChild} is told. */
export interface OutboxProcessTask {
  readonly options: DataSourceOptions;
  /** The application's client, in whose transactions it saves and sends. Default: the data source. */
  readonly client?: string | undefined;
  readonly outbox: OutboxAppOptions;
  /** URLs of subscribers; all processes know the same ones. */
  readonly urls: readonly string[];
  /** What each of them has beside its URL, in the same order. Default: nothing. */
  readonly changes?: readonly Partial<Subscriber>[];
  /** Articles to save, one after the other. */
  readonly articles: number;
  /** Keys in turn, of a message that is sent with each article, in its transaction. Default: none is. */
  readonly keys?: readonly string[];
  /** After those it saves one every so many milliseconds, until it is ended. Default: none. */
  readonly savesEvery?: number;
  /**
   * Where it kills itself: between the commit of the first article and its hand-over, or between the first answer and
   * what is written of it.
   */
  readonly dies?: 'after-commit' | 'after-answer';
}

const task = JSON.parse(process.argv[2]!) as OutboxProcessTask;
const die = () => void process.kill(process.pid, 'SIGKILL');
const subscribers = new InMemorySubscriberRepository();
for (const [at, url] of task.urls.entries()) {
  await subscribers.create(subscriber(url, { id: `sub_${at}`, ...task.changes?.[at] }));
}
const rig = await openClientOutbox(
  { options: task.options },
  {
    ...task.outbox,
    client: task.client,
    subscribers,
    synchronize: false,
    prepare: (dataSource) => {
      if (task.dies === 'after-commit') {
        dataSource.subscribers.unshift({ afterTransactionCommit: die });
      }
    },
  },
);
if (task.dies === 'after-answer') rig.events.on('succeeded', die);
rig.events.on('succeeded', () => writeSync(1, 'delivered\n'));
let stopSaving = async (): Promise<void> => undefined;
process.on('SIGTERM', () => {
  void stopSaving()
    .then(() => rig.close())
    .then(() => process.exit(0));
});
// Stops between two turns of its event loop: a request that is being written at that moment cannot be taken back.
process.on('SIGUSR2', () => process.kill(process.pid, 'SIGSTOP'));
writeSync(1, 'ready\n');
for (let n = 0; n < task.articles; n++) {
  const { keys } = task;
  await rig.begin(async (tx) => {
    await tx.save(`${n}`);
    if (keys !== undefined) {
      await tx.send(rig.message({ orderBy: { key: keys[n % keys.length]! } }));
    }
  });
  // A client that tells nothing of commits: this is before anybody has looked for it.
  if (task.dies === 'after-commit') die();
  // As requests do: SQLite answers without one, and nothing would be sent before the last of them.
  await setImmediate();
}
if (task.savesEvery !== undefined) stopSaving = startSavingArticles(rig, task.savesEvery);
writeSync(1, 'done\n');
setInterval(() => undefined, 1000);
