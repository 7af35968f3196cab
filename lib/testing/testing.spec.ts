import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../common/index.js';
import { Deliverer, PublicRecipientPolicy, UndiciHttpClient } from '../delivery/index.js';
import { InvalidInputError } from '../errors/index.js';
import { Codecs, type Message, MessageFactory, type Recipient } from '../message/index.js';
import { StandardWebhookSigner } from '../signing/index.js';
import {
  LOOPBACK_RECIPIENTS,
  MovableClock,
  RecordingStrategy,
  WaitTimeoutError,
  ScriptedReceiver,
  signWebhook,
} from './index.js';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('MovableClock', () => {
  it('stands still until it is moved', () => {
    const clock = new MovableClock(1000);

    expect(clock).toBeInstanceOf(Clock);
    expect(clock.now()).toBe(1000);
    clock.advance(500);
    expect(clock.now()).toBe(1500);
    clock.set(10);
    expect(clock.now()).toBe(10);
  });

  it('begins at the machine’s time', () => {
    const before = Date.now();
    expect(new MovableClock().now()).toBeGreaterThanOrEqual(before);
  });

  it('refuses invalid times', () => {
    const clock = new MovableClock(0);
    expect(() => clock.advance(-1)).toThrow(InvalidInputError);
    expect(() => clock.advance(Number.NaN)).toThrow(InvalidInputError);
    expect(() => clock.set(Infinity)).toThrow(InvalidInputError);
    expect(clock.now()).toBe(0);
  });
});

describe('RecordingStrategy', () => {
  it('keeps sent messages, and waits for others', async () => {
    const strategy = new RecordingStrategy();
    const waiting = strategy.waitFor('order.paid');
    await strategy.release([message('order.made', { id: 1 }), message('order.paid', { id: 2 })]);

    expect((await waiting).data).toEqual({ id: 2 });
    expect((await strategy.waitFor('order.made')).body).toMatchObject({ type: 'order.made' });
    expect(strategy.sent.map(({ event, owner }) => [event, owner])).toEqual([
      ['order.made', null],
      ['order.paid', null],
    ]);
  });

  it('forgets messages when cleared, and ignores staged ones', async () => {
    const strategy = new RecordingStrategy();
    await strategy.release([message('order.made')]);
    strategy.clear();
    await strategy.stage([]);

    expect(strategy.sent).toEqual([]);
    await strategy.release([message('order.lost')]);
    const waiting = strategy.waitFor('order.made', { timeout: 10 });
    await expect(waiting).rejects.toThrow(
      'Timed out after 10 ms waiting for a message of the event order.made; what came: order.lost.',
    );
    await expect(waiting).rejects.toThrow(WaitTimeoutError);
  });
});

describe('ScriptedReceiver', () => {
  let receiver: ScriptedReceiver;
  let client: UndiciHttpClient;
  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
    client = new UndiciHttpClient(new PublicRecipientPolicy(LOOPBACK_RECIPIENTS));
  });
  afterEach(async () => {
    await receiver.stop();
    await client.close();
  });

  it('answers by its script, and then as otherwise() says', async () => {
    receiver
      .answer(500, { status: 429, headers: { 'Retry-After': '7' } }, { body: 'hello' }, {})
      .otherwise(({ path }) => (path.endsWith('/b') ? 418 : 201));

    const answers = [];
    for (const path of ['', '', '', '', '/a', '/b']) answers.push(await post({ path }));

    expect(answers.map(({ status }) => status)).toEqual([500, 429, 200, 204, 201, 418]);
    expect(answers[1]!.headers['retry-after']).toBe('7');
    expect(answers[2]!.body.toString()).toBe('hello');
    expect(receiver.received.map(({ path }) => path).slice(-2)).toEqual(['/hooks/a', '/hooks/b']);
  });

  it('hangs, resets and delays by its script', async () => {
    receiver.answer('hang', 'reset', { delay: 60, status: 200 });

    await expect(post({ timeout: 500 })).rejects.toMatchObject({ reason: 'timeout' });
    await expect(post()).rejects.toMatchObject({ reason: 'connection-reset' });
    const start = performance.now();
    expect((await post()).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(55);
    expect(receiver.received).toHaveLength(3);
  });

  it('waits for a number or a certain webhook, and reports what came when it times out', async () => {
    const three = receiver.waitFor(3);
    const second = receiver.waitFor(({ body }) => body.toString() === '2');
    for (const body of ['1', '2', '3']) await post({ body });

    expect((await three).map(({ json }) => json)).toEqual([1, 2, 3]);
    expect((await second).json).toBe(2);
    await expect(receiver.waitFor(4, { timeout: 5 })).rejects.toThrow(
      'Timed out after 5 ms waiting for 4 webhooks; what came: /hooks, /hooks, /hooks.',
    );
    receiver.clear();
    expect(receiver.received).toEqual([]);
  });

  it('stops although a request is still waiting', async () => {
    receiver.otherwise('hang');
    const waiting = post();
    await receiver.waitFor(1);
    await receiver.stop();

    await expect(waiting).rejects.toMatchObject({ reason: 'connection-reset' });
    receiver = await ScriptedReceiver.start();
  });

  it('recognises the secrets that signed a webhook', async () => {
    const [old, other] = ['an older secret of ours', 'nobody’s secret at all'];
    await deliver([secret, old]);
    const [webhook] = await receiver.waitFor(1);

    expect(webhook!.isSignedWith(secret)).toBe(true);
    expect(webhook!.isSignedWith(secret, 'thorn')).toBe(true);
    expect(webhook!.isSignedWith(old)).toBe(true);
    expect(webhook!.isSignedWith(old, 'thorn')).toBe(false);
    expect(webhook!.isSignedWith(other)).toBe(false);
    expect(webhook!.isSignedWith(other, 'thorn')).toBe(false);
    expect(webhook!.isSignedWith('')).toBe(false);
    // An independent judge.
    const headers = webhook!.headers as Record<string, string>;
    expect(new Webhook(secret).verify(webhook!.body, headers)).toEqual(webhook!.json);
  });

  it.each(['sha1', 'sha512'] as const)('verifies Hook-HMAC with %s', async (digest) => {
    await deliver([secret], digest);
    const [webhook] = await receiver.waitFor(1);

    expect(webhook!.isSignedWith(secret, 'thorn')).toBe(true);
  });

  it('detects one changed bit of the body, the id, the timestamp or a signature', async () => {
    await deliver([secret]);
    const [webhook] = await receiver.waitFor(1);
    const { headers, body } = webhook!;
    const changed = Buffer.from(body);
    changed[5]! ^= 1;

    expect(Object.assign(webhook!, { body: changed }).isSignedWith(secret)).toBe(false);
    expect(webhook!.isSignedWith(secret, 'thorn')).toBe(false);
    Object.assign(webhook!, { body });
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'hook-hmac']) {
      const right = headers[name] as string;
      const at = name === 'webhook-signature' ? 10 : 1;
      const flipped = String.fromCharCode(right.charCodeAt(at) ^ 1);
      headers[name] = right.slice(0, at) + flipped + right.slice(at + 1);
      const scheme = name === 'hook-hmac' ? 'thorn' : 'standard';
      expect(webhook!.isSignedWith(secret, scheme)).toBe(false);
      headers[name] = right;
    }
    expect(webhook!.isSignedWith(secret)).toBe(true);
    expect(webhook!.isSignedWith(secret, 'thorn')).toBe(true);
    headers['webhook-signature'] = String(headers['webhook-signature']).replace('v1,', 'v2,');
    expect(webhook!.isSignedWith(secret)).toBe(false);
    delete headers['webhook-signature'];
    expect(webhook!.isSignedWith(secret)).toBe(false);
  });

  it.each<[field: string, answer: unknown]>([
    ['answer', 5],
    ['answer', 101],
    ['answer', Number.NaN],
    ['answer', 'hangs'],
    ['answer', null],
    ['answer.stat', { stat: 5 }],
    ['answer.status', { status: '500' }],
    ['answer.delay', { delay: 'x' }],
    ['answer.delay', { delay: -1 }],
    ['answer.body', { body: { a: 1 } }],
    ['answer.headers', { headers: { 'a b': 'c' } }],
    ['answer.headers', { headers: { a: 'b\n' } }],
    ['answer.headers', { headers: { a: undefined } }],
  ])('refuses %s of %j', async (field, answer) => {
    const refusal = expect.objectContaining({ name: 'InvalidInputError', field });
    expect(() => receiver.answer(204, answer as never)).toThrow(refusal);
    expect(() => receiver.otherwise(answer as never)).toThrow(refusal);
    receiver.otherwise(() => answer as never);
    // Nothing of a list that is refused is in the script.
    const { status, body } = await post();
    expect([status, String(body)]).toEqual([500, expect.stringContaining(field)]);
  });

  function post({ path = '', body = '{}', timeout = 3000 } = {}) {
    return client.post({
      url: receiver.url + path,
      headers: { 'Content-Type': 'application/json' },
      body: Buffer.from(body),
      timeout,
      keepAlive: true,
    });
  }

  function deliver(secrets: readonly string[], digest: Recipient['digest'] = 'sha256') {
    const deliverer = new Deliverer(
      client,
      new StandardWebhookSigner(undefined, { hookHmac: true }),
      new MovableClock(),
    );
    return deliverer.attempt({ id: 'dlv_1' }, message('order.paid', { id: 7 }), {
      id: 'sub_1',
      url: receiver.url,
      contentType: 'application/json',
      digest,
      secrets: secrets.map((value) => ({ value, expiresAt: null })),
    });
  }
});

function message(event: string, data: unknown = {}): Message {
  return new MessageFactory(new MovableClock(), new Codecs()).create({ event, data });
}

describe('signWebhook', () => {
  const fine = { body: {}, secrets: [secret] };

  it.each<[field: string, input: object]>([
    ['secrets', { secrets: [] }],
    ['secrets', { secrets: secret }],
    ['secrets[0]', { secrets: [undefined] }],
    ['secrets[0]', { secrets: ['whsec_###'] }],
    ['secrets[1]', { secrets: [secret, 'short'] }],
    ['secrets[0]', { secrets: [`whsk_${secret.slice(6)}`] }],
    ['secrets[0]', { secrets: ['short'], scheme: 'thorn' }],
    ['secrets[0]', { secrets: [''], scheme: 'github' }],
    ['scheme', { scheme: 'svix' }],
    ['digest', { digest: 'md5', scheme: 'thorn' }],
    ['digest', { digest: 'sha1' }],
    ['time', { time: Number.NaN }],
    ['timestamp', { timestamp: 0 }],
    ['id', { id: 'a.b' }],
  ])('refuses %s in %j', (field, input) => {
    expect(() => signWebhook({ ...fine, ...input })).toThrow(
      expect.objectContaining({ name: 'InvalidInputError', field }),
    );
  });
});
