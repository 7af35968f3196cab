import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Queue } from 'bullmq';
import request from 'supertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bullmq } from '../../lib/bullmq/index.js';
import { WebhookDispatcher } from '../../lib/index.js';
import { createBlogDatabase, startBlog } from '../support/apps/blog.js';
import { type RedisServer, startRedis } from '../services/redis.js';

let redis: RedisServer;
let database: Awaited<ReturnType<typeof createBlogDatabase>>;
const apps: INestApplication[] = [];

beforeAll(async () => {
  [redis, database] = [
    await startRedis({ appendOnly: true }),
    await createBlogDatabase('better-sqlite3'),
  ];
});

afterAll(async () => {
  for (const app of apps) await app.close();
  await redis.stop();
  await database.drop();
});

// As docs/recipes/bull-board.md does it.
async function startBoard(): Promise<INestApplication> {
  @Module({
    imports: [
      BullModule.forRoot({ connection: { url: redis.url } }),
      BullModule.registerQueue({ name: 'thorn' }),
    ],
  })
  class BoardModule {}
  const app = await NestFactory.create(BoardModule, { logger: false });
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath('/admin/queues');
  createBullBoard({
    queues: [new BullMQAdapter(app.get<Queue>(getQueueToken('thorn')), { readOnlyMode: true })],
    serverAdapter,
  });
  app.use('/admin/queues', serverAdapter.getRouter());
  await app.init();
  apps.push(app);
  return app;
}

it('shows the jobs that wait for a worker in bull-board', async () => {
  const { app } = await startBlog(database.options, {
    dispatch: bullmq({ connection: { url: redis.url } as object, worker: false }),
  });
  apps.push(app);
  await app.get(WebhookDispatcher).send('article.published', { title: 'private' });

  const board = request((await startBoard()).getHttpServer());
  await board.get('/admin/queues').expect(200);
  const path = '/admin/queues/api/queues?activeQueue=thorn&status=waiting';
  await expect
    .poll(async () => (await board.get(path)).body as unknown)
    .toMatchObject({
      queues: [{ name: 'thorn', readOnlyMode: true, counts: { waiting: 1, failed: 0 } }],
    });
  expect((await board.get(path)).text).not.toContain('private');
});
