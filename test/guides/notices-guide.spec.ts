import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Injectable, type INestApplication, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Subscribers, WebhookEvent } from '../../lib/index.js';
import { PublicRecipientPolicy, RecipientPolicy } from '../../lib/extending/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { blocksOf } from './blocks.js';

const FOLDER = resolve('.cache/guides/notices');
const MODULE = 'endpoint-news.module.ts';

@Injectable()
class Orders {
  @WebhookEvent('order.paid', { owner: ({ owner }: { owner: string }) => owner })
  async pay(owner: string): Promise<{ owner: string }> {
    return { owner };
  }
}

let receiver: ScriptedReceiver;
let app: INestApplication;

beforeEach(async () => {
  receiver = await ScriptedReceiver.start();
  const { code } = blocksOf('docs/notices.md').find((one) => one.code.startsWith(`// ${MODULE}`))!;
  const text = code.replaceAll(
    /'nestjs-thorn(\/\w+)?'/g,
    (_, entry = '') => `'${resolve(`lib${entry}/index.ts`)}'`,
  );
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(resolve(FOLDER, MODULE), text);
  const { EndpointNewsModule } = (await import(/* @vite-ignore */ resolve(FOLDER, MODULE))) as {
    readonly EndpointNewsModule: Type<unknown>;
  };
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        ...{ type: 'better-sqlite3', database: ':memory:' },
        ...{ autoLoadEntities: true, synchronize: true },
      }),
      EndpointNewsModule,
    ],
    providers: [Orders],
  })
    .overrideProvider(RecipientPolicy)
    .useValue(new PublicRecipientPolicy(LOOPBACK_RECIPIENTS))
    .compile();
  app = await module.createNestApplication({ logger: false }).init();
});
afterEach(async () => {
  await app.close();
  await receiver.stop();
});

async function create(path: string, event: string, owner: string, exclude: readonly string[] = []) {
  const url = new URL(path, receiver.url).href;
  return (await app.get(Subscribers).create({ url, events: [event], owner, exclude })).id;
}

it('sends the news of an endpoint to another one of its owner, and none about that one', async () => {
  const subscribers = app.get(Subscribers);
  const orders = await create('/orders', 'order.paid', 'ada');
  const news = await create('/news', 'endpoint.*', 'ada');
  await create('/other', 'endpoint.*', 'bob');
  receiver.otherwise(410);
  await app.get(Orders).pay('ada');
  const told = await receiver.waitFor(({ path }) => path === '/news');
  expect(JSON.parse(told.body.toString())).toMatchObject({
    type: 'endpoint.disabled',
    data: { endpoint: orders, host: new URL(receiver.url).host, reason: 'gone', status: 410 },
  });

  await vi.waitFor(async () => {
    expect((await subscribers.findById(news, { owner: 'ada' }))!.enabled).toBe(false);
  });
  await subscribers.update(news, { enabled: true }, { owner: 'ada' });
  // The notice of its own end comes before that of this one, and has sent nothing.
  receiver.otherwise(({ path }) => (path === '/orders' ? 410 : 204));
  await subscribers.update(orders, { enabled: true }, { owner: 'ada' });
  await app.get(Orders).pay('ada');
  await receiver.waitFor(
    ({ path }) =>
      path === '/news' && receiver.received.filter((one) => one.path === '/news').length > 1,
  );
  expect(receiver.received.map(({ path, event }) => [path, event])).toEqual([
    ['/orders', 'order.paid'],
    ['/news', 'endpoint.disabled'],
    ['/orders', 'order.paid'],
    ['/news', 'endpoint.disabled'],
  ]);
  for (const { body } of receiver.received.filter(({ path }) => path === '/news')) {
    expect(JSON.parse(body.toString()).data.endpoint).toBe(orders);
  }
});

it('sends the news of an endpoint with * where it excludes the news', async () => {
  const all = await create('/all', '*', 'ada');
  await create('/news', 'endpoint.*', 'ada');
  receiver.otherwise(({ path }) => (path === '/news' ? 204 : 410));
  await app.get(Orders).pay('ada');
  await vi.waitFor(async () => {
    expect((await app.get(Subscribers).findById(all, 'any'))!.enabled).toBe(false);
  });
  // The notices come in order.
  const quiet = await create('/quiet', '*', 'ada', ['endpoint.*']);
  await app.get(Orders).pay('ada');
  const { body } = await receiver.waitFor(({ path }) => path === '/news');
  expect(JSON.parse(body.toString())).toMatchObject({
    type: 'endpoint.disabled',
    data: { endpoint: quiet },
  });
  expect(receiver.received.map(({ path }) => path)).toEqual(['/all', '/quiet', '/news']);
});
