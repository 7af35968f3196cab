import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Subscribers, WebhookDispatcher } from '../../lib/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import { freePort } from '../services/free-port.js';
import { type RedisServer, startRedis } from '../services/redis.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { blocksOf } from './blocks.js';

const blocks = blocksOf('docs/scaling.md');
const root = resolve('.cache/guides/scaling');
const LOOPBACK = "recipients: { allowCidrs: ['127.0.0.1/32'], allowedPorts: 'any' },";

/** A reader who does what the section "Setting it up" says, in its order. */
describe('the example of docs/scaling.md', () => {
  let database: TestDatabase;
  let redis: RedisServer;
  let receiver: ScriptedReceiver;
  let variables: Record<string, string>;
  let children: Child[];
  let api: INestApplicationContext | undefined;

  beforeAll(async () => {
    children = [];
    [database, redis, receiver] = await Promise.all([
      createDatabase('postgres'),
      startRedis(),
      ScriptedReceiver.start(),
    ]);
    const { url } = database.options as { readonly url: string };
    variables = { DATABASE_URL: url, REDIS_URL: `redis://127.0.0.1:${redis.port}` };
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    writeFiles();
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    await api?.close();
    for (const child of children) await child.end('SIGTERM');
    await receiver.stop();
    await redis.stop();
    await database.drop();
  });

  it('creates the tables, and a worker delivers what another process sends', async () => {
    const { default: dataSource } = await load<{ default: DataSource }>('src/data-source.ts');
    await dataSource.initialize();
    expect((await dataSource.runMigrations()).length).toBeGreaterThan(0);
    await dataSource.destroy();
    const { AppModule } = await load<{ AppModule: new () => object }>('src/app.module.ts');
    api = await NestFactory.createApplicationContext(AppModule, { logger: false });
    await api.get(Subscribers).create({ url: receiver.url, events: ['*'] });

    await api.get(WebhookDispatcher).send('order.placed', { id: 1 });
    const worker = startChild(await bundleProgram(join(root, 'src/worker.ts')), '', {
      ROLE: 'worker',
    });
    children.push(worker);
    await receiver.waitFor(1);
    await api.get(WebhookDispatcher).send('order.paid', { id: 1 });
    await receiver.waitFor(2);

    expect(receiver.received.map(({ event }) => event)).toEqual(['order.placed', 'order.paid']);
  });

  it('answers requests with src/main.ts', async () => {
    const port = await freePort();
    const main = await bundleProgram(join(root, 'src/main.ts'));
    children.push(startChild(main, '', { PORT: `${port}` }));
    const status = () =>
      fetch(`http://127.0.0.1:${port}/nothing`).then(
        (response) => response.status,
        () => null,
      );
    await expect.poll(status).toBe(404);
  });

  function load<Exports>(file: string): Promise<Exports> {
    return import(/* @vite-ignore */ join(root, file)) as Promise<Exports>;
  }
});

function writeFiles(): void {
  for (const { code } of blocks) {
    const name = /^\/\/ (src\/\S+)\n/.exec(code)?.[1];
    if (name === undefined) continue;
    mkdirSync(dirname(join(root, name)), { recursive: true });
    const text = code
      .replaceAll("'nestjs-thorn'", `'${resolve('lib/index.ts')}'`)
      .replaceAll("'nestjs-thorn/bullmq'", `'${resolve('lib/bullmq/index.ts')}'`)
      .replaceAll("'dist/", `'${root}/dist/`)
      // Receivers of tests listen on this machine.
      .replaceAll('ThornModule.forRoot({', `ThornModule.forRoot({ ${LOOPBACK}`);
    writeFileSync(join(root, name), text);
  }
}
