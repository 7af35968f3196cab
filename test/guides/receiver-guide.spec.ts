import { createHmac } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Controller, type INestApplication, Logger, Module, Post } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import {
  CreateThornReceivedMessages1767312060000,
  ReceivedMessages,
  type VerifiedWebhook,
  Webhook,
  WebhookReceiver,
  WebhookReceiverEvents,
} from '../../lib/receiver/index.js';
import { signWebhook } from '../../lib/testing/index.js';
import { startReceiverApp } from '../support/apps/receiver-app.js';
import { textOf } from './blocks.js';

const guide = textOf('docs/receiving.md');
const blocks = [...guide.matchAll(/```ts\n\/\/ (\S+)\n(.*?)```/gs)].map(([, name, code]) => ({
  name: name!,
  code: code!,
}));
const directory = resolve(`.cache/receiving-guide-${inject('nestMajor')}`);
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const apps: INestApplication[] = [];

/** What a block exports; the package's own names lead to its sources. */
const load = async (name: string): Promise<Record<string, unknown>> =>
  (await import(/* @vite-ignore */ join(directory, name))) as Record<string, unknown>;

beforeAll(async () => {
  await mkdir(directory, { recursive: true });
  for (const { name, code } of blocks) {
    const linked = code.replaceAll(/'nestjs-thorn\/(\w+)'/g, "'../../lib/$1/index.js'");
    await writeFile(join(directory, name), linked);
  }
  vi.stubEnv('PORT', '0');
  vi.stubEnv('STORE_WEBHOOK_SECRET', secret);
  vi.stubEnv('STRIPE_WEBHOOK_SECRET', 'whsec_stripe');
});

afterAll(async () => {
  vi.unstubAllEnvs();
  for (const app of apps) await app.close();
  await rm(directory, { recursive: true, force: true });
});

describe('the guide to receiving', () => {
  it('has blocks that are all named', () => {
    expect(blocks).toHaveLength(guide.match(/```ts/g)!.length);
    expect(blocks.map(({ name }) => name).sort()).toEqual([
      'acme.scheme.ts',
      'app.module.ts',
      'main.ts',
      'monitoring.ts',
      'orders.controller.ts',
      'queue.ts',
      'redis-store.ts',
      'shared-store.ts',
      'sign.ts',
      'webhooks.controller.ts',
    ]);
  });

  it('has an application that starts, and verifies what its test signs', async () => {
    Logger.overrideLogger(false);
    const app = (await load('main.ts'))['app'] as INestApplication;
    apps.push(app);
    const { send } = (await load('sign.ts')) as {
      send(url: string, secret: string): Promise<number>;
    };
    const url = await app.getUrl();
    const controller = app.get<{ seen: string[] }>(
      (await load('webhooks.controller.ts'))['WebhooksController'] as never,
    );

    expect(await send(`${url}/webhooks/store`, secret)).toBe(204);
    expect(await send(`${url}/webhooks/store`, 'another secret of 16 characters')).toBe(401);
    const stripe = signWebhook({
      body: { id: 'evt_1', type: 'charge.paid' },
      secrets: ['whsec_stripe'],
      scheme: 'stripe',
    });
    const answer = await fetch(`${url}/webhooks/payments`, {
      method: 'POST',
      headers: stripe.headers,
      body: new Uint8Array(stripe.body),
    });
    expect(answer.status).toBe(204);
    expect(controller.seen).toEqual(['order.paid 7', 'charge.paid']);
  });

  it('has a scheme that works', async () => {
    @Controller()
    class AcmeController {
      @Post()
      @WebhookReceiver('acme')
      receive(@Webhook() { id, event }: VerifiedWebhook): unknown {
        return { id, event };
      }
    }
    const { acme } = await load('acme.scheme.ts');
    const { app, post } = await startReceiverApp('express', [acme as never], [AcmeController]);
    apps.push(app);
    const body = '{"uuid":"1","kind":"order.paid"}';
    const time = String(Math.floor(Date.now() / 1000));
    const sign = (key: string) =>
      createHmac('sha512', key).update(`${time}\n`).update(body).digest('hex');
    const send = (key: string) =>
      post('/', {
        headers: {
          'content-type': 'application/json',
          'x-acme-time': time,
          'x-acme-signature': sign(key),
        },
        body,
      });

    expect(await (await send('a secret of Acme')).json()).toEqual({ id: '1', event: 'order.paid' });
    expect((await send('a secret of nobody')).status).toBe(401);
  });

  it('has a monitor that counts', async () => {
    const { Monitoring } = (await load('monitoring.ts')) as {
      Monitoring: new (events: WebhookReceiverEvents) => { rejected: Map<string, number> };
    };
    const events = new WebhookReceiverEvents();
    const monitoring = new Monitoring(events);
    for (let count = 0; count < 2; count++) {
      events.emit('rejected', { receiver: 'store', reason: 'too-old', explanation: 'old' });
    }

    expect([...monitoring.rejected]).toEqual([['store: too-old', 2]]);
  });

  it('has a shared store, and work that is done once', async () => {
    const { receiver } = await load('shared-store.ts');
    const { OrdersController } = await load('orders.controller.ts');
    const database = TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: ':memory:',
      migrations: [CreateThornReceivedMessages1767312060000],
      migrationsRun: true,
    });
    @Module({ imports: [database] })
    class DatabaseModule {}
    const { app, post } = await startReceiverApp(
      'express',
      [DatabaseModule, receiver as never],
      [OrdersController as never],
    );
    apps.push(app);
    const dataSource = app.get(DataSource);
    await dataSource.query('CREATE TABLE orders (id int, paid int)');
    await dataSource.query('INSERT INTO orders VALUES (1, 0)');
    const signed = signWebhook({ body: { data: { id: 1 } }, secrets: [secret] });
    for (let attempt = 0; attempt < 2; attempt++) {
      expect((await post('/orders/webhook', signed)).status).toBe(201);
    }

    expect(app.get(ReceivedMessages).constructor.name).toBe('DatabaseReceivedMessages');
    expect(await dataSource.query('SELECT paid FROM orders')).toEqual([{ paid: 1 }]);
    expect(await dataSource.query('SELECT token FROM thorn_received_messages')).toHaveLength(2);
  });

  it('has a Redis store that sends commands', async () => {
    const { redisStore } = (await load('redis-store.ts')) as {
      redisStore(redis: { call(...command: string[]): Promise<unknown> }): ReceivedMessages;
    };
    const commands: string[][] = [];
    const store = redisStore({
      call: async (...command) => {
        commands.push(command);
        return 'claimed';
      },
    });
    const claim = {
      ...{ kind: 'message' as const, receiver: 'store', key: 'msg_1', sequence: 1, token: 'try-1' },
    } as const;

    const times = { now: 1000, leasedUntil: 1500, keptUntil: 9000 };
    expect(await store.claim(claim, times)).toBe('claimed');
    const given = ['1', 'try-1', '1000', '1500', '8000'];
    expect(commands).toEqual([
      ['EVAL', expect.any(String), '1', 'thorn:received:message:store:msg_1', ...given],
    ]);
  });

  it('has a function for queues', async () => {
    const { eventOf } = (await load('queue.ts')) as {
      eventOf(job: { headers: object; body: string }, secret: string): string | null;
    };
    const { headers, body } = signWebhook({ body: { type: 'a.b' }, secrets: [secret], time: 0 });

    expect(eventOf({ headers, body: body.toString() }, secret)).toBe('a.b');
  });
});
