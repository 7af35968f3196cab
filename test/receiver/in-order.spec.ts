import { Controller, type INestApplication, Post } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import {
  InMemoryReceivedMessages,
  ThornReceiverModule,
  type ThornReceiverModuleOptions,
  type VerifiedWebhook,
  verifyWebhook,
  Webhook,
  WebhookReceiver,
  WebhookReceiverEvents,
} from '../../lib/receiver/index.js';
import { generateSecret } from '../../lib/signing/index.js';
import { signWebhook } from '../../lib/testing/index.js';
import { type ReceiverApp, startReceiverApp } from '../support/apps/receiver-app.js';

const secret = generateSecret();
const receivers = { store: { scheme: 'standard', secrets: [secret] } } as const;

let handled: number[] = [];
let work: (sequence: number) => Promise<void> = async () => undefined;

@Controller()
class StoreController {
  @Post('store')
  @WebhookReceiver('store')
  async receive(@Webhook() { order }: VerifiedWebhook): Promise<void> {
    await work(order?.sequence ?? 0);
    handled.push(order?.sequence ?? 0);
  }
}

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  handled = [];
  work = async () => undefined;
});

async function start(options: Partial<ThornReceiverModuleOptions> = {}): Promise<ReceiverApp> {
  const module = ThornReceiverModule.forRoot({ receivers, processInOrder: true, ...options });
  const started = await startReceiverApp('express', [module], [StoreController]);
  apps.push(started.app);
  return started;
}

let count = 0;
function signed(sequence: number | null, key = 'article:1', id = `msg_${++count}`) {
  const { headers, body } = signWebhook({
    body: { type: 'article.changed' },
    secrets: [secret],
    id,
  });
  if (sequence === null) return { headers, body };
  return { headers: { ...headers, 'Hook-Key': key, 'Hook-Sequence': String(sequence) }, body };
}
const send = async (app: ReceiverApp, ...given: Parameters<typeof signed>) =>
  (await app.post('/store', signed(...given))).status;

describe('processInOrder', () => {
  it('drops what is older than what was processed, and tells of it', async () => {
    const app = await start();
    const older: unknown[] = [];
    app.app.get(WebhookReceiverEvents).on('older', (facts) => older.push(facts));
    for (const sequence of [2, 1, 4, 3, 4, 5]) expect(await send(app, sequence)).toBe(201);
    expect(await send(app, 1, 'article:2')).toBe(201);
    expect(await send(app, null)).toBe(201);
    expect(handled).toEqual([2, 4, 5, 1, 0]);
    expect(older).toMatchObject([
      { receiver: 'store', event: 'article.changed', key: 'article:1', sequence: 1 },
      { sequence: 3 },
      { sequence: 4 },
    ]);
  });

  it('marks a message once its handler has succeeded', async () => {
    const app = await start();
    work = async () => Promise.reject(new Error('not now'));
    expect(await send(app, 2, 'article:1', 'msg_again')).toBe(500);
    work = async () => undefined;
    expect(await send(app, 1)).toBe(201);
    expect(await send(app, 2, 'article:1', 'msg_again')).toBe(201);
    expect(handled).toEqual([1, 2]);
  });

  it('handles one message of a key at a time, in all processes', async () => {
    const store = new InMemoryReceivedMessages();
    const [one, other] = [await start({ store }), await start({ store })];
    let finish!: () => void;
    const begun = new Promise<void>((resolve) => {
      work = (sequence) => {
        if (sequence !== 1) return Promise.resolve();
        resolve();
        return new Promise((end) => (finish = end));
      };
    });
    const first = send(one, 1);
    await begun;
    const response = await other.post('/store', signed(2, 'article:1', 'msg_second'));
    expect(response.status).toBe(409);
    expect(response.headers.get('retry-after')).toBe('10');
    expect(await send(other, 3, 'article:2')).toBe(201);
    finish();
    expect(await first).toBe(201);
    expect(await send(other, 2, 'article:1', 'msg_second')).toBe(201);
  });

  it('reports what is older, and lets it through', async () => {
    const app = await start({ processInOrder: { older: 'report' } });
    let told = 0;
    app.app.get(WebhookReceiverEvents).on('older', () => told++);
    for (const sequence of [2, 1, 3]) expect(await send(app, sequence)).toBe(201);
    expect(handled).toEqual([2, 1, 3]);
    expect(told).toBe(1);
  });

  it('lets everything through by default', async () => {
    const app = await start({ processInOrder: false });
    for (const sequence of [2, 1]) expect(await send(app, sequence)).toBe(201);
    expect(handled).toEqual([2, 1]);
  });

  it.each<[options: object, message: RegExp]>([
    [{ processInOrder: { older: 'keep' } }, /processInOrder.older/],
    [{ processInOrder: { lease: 0 } }, /processInOrder.lease/],
    [{ processInOrder: { days: 1 } }, /processInOrder.days/],
    [{ processInOrder: 'yes' }, /processInOrder/],
  ])('refuses %o at start-up', async (options, message) => {
    await expect(start(options)).rejects.toThrow(message);
  });
});

describe('the order of a verified webhook', () => {
  const orderOf = (body: object, more: Record<string, string> = {}) => {
    const { headers, body: bytes } = signWebhook({ body, secrets: [secret] });
    return verifyWebhook({ headers: { ...headers, ...more }, body: bytes, secrets: [secret] })
      .order;
  };
  const headers = { 'Hook-Key': 'article%3A%C3%A4', 'Hook-Sequence': '7' };

  it('is that of the body, which is signed, or else that of the headers', () => {
    const signedOrder = { key: 'article:1', sequence: 3, isSigned: true };
    expect(orderOf({ key: 'article:1', sequence: 3 }, headers)).toEqual(signedOrder);
    expect(orderOf({}, headers)).toEqual({ key: 'article:ä', sequence: 7, isSigned: false });
    expect(orderOf({})).toBeNull();
  });

  it.each([
    { 'Hook-Key': 'a' },
    { 'Hook-Sequence': '7' },
    { 'Hook-Key': '%', 'Hook-Sequence': '7' },
    { 'Hook-Key': 'a', 'Hook-Sequence': '0' },
    { 'Hook-Key': 'a', 'Hook-Sequence': '-1' },
    { 'Hook-Key': 'a', 'Hook-Sequence': '1.5' },
    { 'Hook-Key': 'a', 'Hook-Sequence': '9007199254740993' },
    { 'Hook-Key': 'a'.repeat(256), 'Hook-Sequence': '1' },
  ])('is null for %j', (wrong) => {
    expect(orderOf({}, wrong as Record<string, string>)).toBeNull();
  });
});
