import type { INestApplication } from '@nestjs/common';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bullmq, type BullMqOptions } from '../../lib/bullmq/index.js';
import { Subscribers, WebhookDispatcher } from '../../lib/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { freshDatabase, startBlog } from '../support/apps/blog.js';
import { backendOf } from '../support/apps/bullmq-app.js';

let database: { options: DataSourceOptions; drop(): Promise<void> };
let receiver: ScriptedReceiver;
let apps: INestApplication[];

beforeEach(async () => {
  apps = [];
  [database, receiver] = [await freshDatabase('postgres'), await ScriptedReceiver.start()];
});

afterEach(async () => {
  for (const app of apps) await app.close();
  await receiver.stop();
  await database.drop();
});

async function start(options: BullMqOptions): Promise<INestApplication> {
  const { app } = await startBlog(database.options, { dispatch: bullmq(options) });
  apps.push(app);
  await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
  return app;
}

const send = (app: INestApplication, title: string) =>
  app.get(WebhookDispatcher).send('article.published', { title });

const titleOf = (json: unknown) => (json as { data: { title: string } }).data.title;
const isNumber = (title: string) => /^\d+$/.test(title);

describe('an application with bullmq() and no Redis', () => {
  it('delivers through a queue in PostgreSQL, and leaves nothing in it', async () => {
    // Not by looking into the tables.
    const options = { ...backendOf(database), pollInterval: 60_000 };
    const worker = await start(options);
    const { app: api } = await startBlog(database.options, {
      dispatch: bullmq({ ...options, worker: false }),
    });
    apps.push(api);
    // What is sent before the queue is ready is left to the tables.
    const isReady = async () => {
      await send(api, 'early');
      return receiver.received.length > 0;
    };
    await expect.poll(isReady, { timeout: 10_000, interval: 200 }).toBe(true);
    for (let n = 0; n < 25; n++) await send(api, `${n}`);
    const titles = () => receiver.received.map(({ json }) => titleOf(json)).filter(isNumber);
    await expect.poll(() => titles().length, { timeout: 10_000 }).toBe(25);
    expect(new Set(titles()).size).toBe(25);
    const jobs = () => worker.get(DataSource).query('SELECT count(*)::int AS jobs FROM bullmq.job');
    await expect.poll(jobs).toEqual([{ jobs: 0 }]);
  });

  it('delivers although the tables of the queue are not there', async () => {
    const { connection, backend } = backendOf(database);
    const app = await start({
      connection: { ...connection, migrate: false },
      backend,
      pollInterval: 25,
    });
    await send(app, 'without');
    expect(await receiver.waitFor(1)).toMatchObject([{ json: { data: { title: 'without' } } }]);
  });
});
