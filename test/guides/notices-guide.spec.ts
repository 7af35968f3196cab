import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { type DynamicModule, Injectable, type INestApplication, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { createTransport, type Transporter } from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type SubscriberNotice, Subscribers, ThornModule, WebhookEvent } from '../../lib/index.js';
import { PublicRecipientPolicy, RecipientPolicy } from '../../lib/extending/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { blocksOf } from './blocks.js';

const FOLDER = resolve('.cache/guides/notices');

@Injectable()
class Orders {
  @WebhookEvent('order.paid', { owner: ({ owner }: { owner: string }) => owner })
  async pay(owner: string): Promise<{ owner: string }> {
    return { owner };
  }
}

let receiver: ScriptedReceiver;
let app: INestApplication;

beforeEach(async () => void (receiver = await ScriptedReceiver.start()));
afterEach(async () => {
  await app.close();
  await receiver.stop();
});

/** What a block of the guide exports, found by the name in its first line. */
async function exportsOf<T>(file: string): Promise<T> {
  const { code } = blocksOf('docs/notices.md').find((one) => one.code.startsWith(`// ${file}`))!;
  const source = code.replaceAll(
    /'nestjs-thorn(\/\w+)?'/g,
    (_, entry = '') => `'${resolve(`lib${entry}/index.ts`)}'`,
  );
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(resolve(FOLDER, file), source);
  return (await import(/* @vite-ignore */ resolve(FOLDER, file))) as T;
}

async function start(thorn: Type<unknown> | DynamicModule): Promise<void> {
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        ...{ type: 'better-sqlite3', database: ':memory:' },
        ...{ autoLoadEntities: true, synchronize: true },
      }),
      thorn,
    ],
    providers: [Orders],
  })
    .overrideProvider(RecipientPolicy)
    .useValue(new PublicRecipientPolicy(LOOPBACK_RECIPIENTS))
    .compile();
  app = await module.createNestApplication({ logger: false }).init();
}

async function startNews(): Promise<void> {
  const { EndpointNewsModule } = await exportsOf<{ EndpointNewsModule: Type<unknown> }>(
    'endpoint-news.module.ts',
  );
  await start(EndpointNewsModule);
}

async function create(path: string, event: string, owner: string, exclude: readonly string[] = []) {
  const url = new URL(path, receiver.url).href;
  return (await app.get(Subscribers).create({ url, events: [event], owner, exclude })).id;
}

it('sends the news of an endpoint to another one of its owner, and none about that one', async () => {
  await startNews();
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
  await startNews();
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

it('mails the owner of an endpoint that is switched off', async () => {
  const mails: (readonly [to: readonly string[], mail: string])[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData: (stream, { envelope }, done) => {
      const to = envelope.rcptTo.map(({ address }) => address);
      let mail = '';
      stream.setEncoding('utf8').on('data', (part: string) => void (mail += part));
      stream.on('end', () => {
        // A long line of the head goes on in the next one.
        mails.push([to, mail.replaceAll(/\r\n[ \t]/g, ' ')]);
        done();
      });
    },
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  try {
    const { port } = server.server.address() as AddressInfo;
    const { mailNotice } = await exportsOf<{
      mailNotice: (mails: Transporter, notice: SubscriberNotice) => Promise<void>;
    }>('mail-notice.ts');
    const transport = createTransport(`smtp://127.0.0.1:${port}`, {
      from: 'Webhooks <webhooks@example.com>',
    });
    await start(ThornModule.forRoot({ notify: (notice) => mailNotice(transport, notice) }));
    await create('/orders', 'order.paid', 'ada');
    receiver.otherwise(410);
    await app.get(Orders).pay('ada');
    await expect.poll(() => mails.length).toBe(1);
    const [[to, mail]] = mails as [(typeof mails)[number]];
    expect(to).toEqual(['ada@example.com']);
    expect(mail).toContain('From: Webhooks <webhooks@example.com>');
    const { host } = new URL(receiver.url);
    expect(mail).toContain(`Subject: Your webhook endpoint at ${host} was switched off`);
    expect(mail).toContain('The last failure was 410.');
  } finally {
    await new Promise<void>((closed) => server.close(() => closed()));
  }
});
