import 'reflect-metadata';
import '../require.js';
import { InMemorySubscriberRepository } from '../../lib/subscriber/index.js';
import { openBullMqApp } from '../../test/support/apps/bullmq-app.js';
import { subscriber } from '../../test/support/apps/outbox-app.js';
import type { Word, WorkerTask } from './backlog.js';

const { options, connection, urls } = JSON.parse(process.argv[2]!) as WorkerTask;
const subscribers = new InMemorySubscriberRepository();
for (const [at, url] of urls.entries()) {
  await subscribers.create(subscriber(url, { id: `sub_${at}` }));
}
const rig = await openBullMqApp(
  { options },
  {
    connection,
    subscribers,
    synchronize: false,
    isLogged: false,
    pollInterval: 1000,
    recipients: { allowedPorts: 'any', allowCidrs: ['127.0.0.0/8'] },
  },
);
let delivered = 0;
rig.events.on('succeeded', () => delivered++);
// What it has done so far, ten times a second.
setInterval(() => {
  const { user, system } = process.cpuUsage();
  process.send!({ delivered, cpu: user + system } satisfies Word);
}, 100);
process.once('disconnect', () => process.exit());
