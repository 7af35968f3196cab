import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../test/services/free-port.js';
import { Clock } from '../common/time.js';
import { ThornConfigurationError } from '../errors/index.js';
import { checkHeaders } from '../message/header-checks.js';
import { Codecs } from '../message/codecs.js';
import { Message, type MessageFields } from '../message/message.js';
import { NoTracing, type TracedAttempt, type TracedResult } from '../message/message-tracing.js';
import { MessageFactory } from '../message/message.factory.js';
import type { Recipient } from '../message/recipient.js';
import { generateSecret, StandardWebhookSigner, WebhookSigner } from '../signing/index.js';
import { Deliverer } from './deliverer.js';
import { PublicRecipientPolicy } from './recipient-policy/public-recipient-policy.js';
import { UndiciHttpClient } from './http/undici-http-client.js';
import { WebhookHttpClient } from './http/webhook-http-client.js';

class TestClock extends Clock {
  time = Date.now();
  override now(): number {
    return this.time;
  }
}

interface Received {
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

const secret = generateSecret();
const delivery = { id: 'dlv_01890a5d-ac96-774b-bcce-b302099a8057' };
const codecs = new Codecs({
  codecs: { 'text/plain': (body) => `plain ${JSON.stringify(body)}` },
});
const policy = new PublicRecipientPolicy({ allowedPorts: 'any', allowCidrs: ['127.0.0.1/32'] });
const clock = new TestClock();
const logged = vi.fn();
let client: UndiciHttpClient;
let deliverer: Deliverer;
const cleanups: (() => unknown)[] = [];

beforeEach(() => {
  client = new UndiciHttpClient(policy);
  deliverer = new Deliverer(client, new StandardWebhookSigner(), clock, { userAgent: 'acme/1.0' });
  vi.spyOn(Logger.prototype, 'error').mockImplementation(logged);
});

afterEach(async () => {
  vi.restoreAllMocks();
  logged.mockReset();
  await client.close();
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe('Deliverer', () => {
  it('sends the body and the headers that a receiver needs, and reports success', async () => {
    const { url, received } = await receiver((_, response) => {
      clock.time += 12;
      response.writeHead(201).end('noted');
    });
    const message = made({ headers: { 'X-Tenant': 'acme' } });
    const startedAt = clock.time;

    const attempt = await deliverer.attempt(delivery, message, recipient(url));

    expect(attempt).toEqual({
      answerHeaders: null,
      deliveryId: delivery.id,
      messageId: message.id,
      event: 'article.published',
      subscriberId: 'sub_1',
      outcome: 'succeeded',
      status: 201,
      error: null,
      startedAt,
      duration: 12,
      response: Buffer.from('noted'),
      retryAfter: null,
      address: '127.0.0.1',
    });
    const { request, body } = received[0]!;
    expect(body).toEqual(message.json);
    expect(request.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'acme/1.0',
      'hook-event': 'article.published',
      'hook-delivery': delivery.id,
      'hook-subscription': 'sub_1',
      'webhook-id': message.id,
      'webhook-timestamp': String(Math.floor(startedAt / 1000)),
      'x-tenant': 'acme',
    });
    expect(new Webhook(secret).verify(body, request.headers as Record<string, string>)).toEqual(
      JSON.parse(body.toString()),
    );
  });

  it('sends any headers that are allowed, and the body, byte for byte', async () => {
    const { url, received } = await receiver((_, response) => response.end());
    const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}$/);
    const value = fc.stringMatching(/^(?:[!-~](?:[ -~]{0,200}[!-~])?)?$/);

    await fc.assert(
      fc.asyncProperty(fc.dictionary(token, value, { maxKeys: 10 }), async (headers) => {
        fc.pre(isAllowed(headers));
        const message = made({ headers });

        await deliverer.attempt(delivery, message, recipient(url));

        const { request, body } = received.pop()!;
        const sent = request.rawHeaders.map((text) => Buffer.from(text, 'latin1').toString());
        for (const [name, text] of Object.entries(headers)) {
          const at = sent.findIndex((other, index) => index % 2 === 0 && other === name);
          expect([name, sent[at + 1]]).toEqual([name, text]);
        }
        expect(body).toEqual(message.json);
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it('signs each attempt with its own time and the same id', async () => {
    const { url, received } = await receiver((_, response) => response.end());
    const message = made();

    await deliverer.attempt(delivery, message, recipient(url));
    clock.time += 60_000;
    await deliverer.attempt(delivery, message, recipient(url));

    const [first, second] = received.map(({ request }) => request.headers);
    expect(second!['webhook-id']).toBe(first!['webhook-id']);
    expect(Number(second!['webhook-timestamp'])).toBe(Number(first!['webhook-timestamp']) + 60);
    expect(second!['webhook-signature']).not.toBe(first!['webhook-signature']);
  });

  it('sends the bytes of the content type that the recipient asked for', async () => {
    const { url, received } = await receiver((_, response) => response.end());

    await deliverer.attempt(delivery, made(), { ...recipient(url), contentType: 'text/plain' });

    expect(received[0]!.request.headers['content-type']).toBe('text/plain');
    expect(received[0]!.body.toString()).toMatch(/^plain \{"type":"article\.published"/);
  });

  it.each([
    [200, 'succeeded', null],
    [204, 'succeeded', null],
    [299, 'succeeded', null],
    [301, 'failed', '120'],
    [400, 'failed', '120'],
    [410, 'failed', '120'],
    [429, 'failed', '120'],
    [503, 'failed', '120'],
  ])('takes status %i for %s', async (status, outcome, retryAfter) => {
    const { url } = await receiver((_, response) =>
      response.writeHead(status, { 'retry-after': '120', location: '/' }).end(),
    );

    const attempt = await deliverer.attempt(delivery, made(), recipient(url));

    expect(attempt).toMatchObject({ outcome, status, error: null, retryAfter });
  });

  it('says why there was no answer, without a query string', async () => {
    const url = `http://127.0.0.1:${await freePort()}/`;

    const attempt = await deliverer.attempt(delivery, made(), recipient(`${url}?t=s3cret`));

    expect(attempt).toMatchObject({
      outcome: 'failed',
      status: null,
      error: { code: 'connection-refused' },
      address: '127.0.0.1',
      response: Buffer.alloc(0),
    });
    expect(JSON.stringify(attempt)).not.toContain('s3cret');
  });

  it('reports a recipient that the policy refuses, and tells the operator', async () => {
    const warned = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const refused = recipient('http://169.254.169.254/latest?t=s3cret');

    const attempt = await deliverer.attempt(delivery, made(), refused);

    expect(attempt).toMatchObject({
      outcome: 'failed',
      error: { code: 'recipient-refused' },
      address: '169.254.169.254',
    });
    expect(attempt.error!.message).toContain('link-local');
    expect(JSON.stringify(attempt)).not.toContain('s3cret');
    expect(warned.mock.calls.map(([line]) => String(line))).toEqual([
      `${delivery.id} (article.published) to sub_1: The recipient is refused: ` +
        '169.254.169.254 is a link-local address.',
    ]);
    expect(JSON.stringify(warned.mock.calls)).not.toContain('s3cret');
    expect(logged).not.toHaveBeenCalled();
  });

  it('obeys the deadline of the event, or its own', async () => {
    const { url } = await receiver(() => {});
    const hasty = new Deliverer(client, new StandardWebhookSigner(), clock, { timeout: 100 });

    const attempts = await Promise.all([
      hasty.attempt(delivery, made(), recipient(url)),
      deliverer.attempt(delivery, made({ settings: { timeout: 100 } }), recipient(url)),
    ]);

    for (const attempt of attempts) expect(attempt.error?.code).toBe('timeout');
  });

  it('keeps the connection unless the event says otherwise', async () => {
    const { url, received } = await receiver((_, response) => response.end());

    await deliverer.attempt(delivery, made(), recipient(url));
    await deliverer.attempt(delivery, made({ settings: { keepAlive: false } }), recipient(url));

    expect(received.map(({ request }) => request.headers.connection)).toEqual([
      'keep-alive',
      'close',
    ]);
  });

  it('reports and logs a body that cannot be encoded, and headers that are not allowed', async () => {
    const unknown = { ...recipient('http://127.0.0.1:9/'), contentType: 'application/x-unknown' };
    const forged = made({ headers: { 'Webhook-Id': 'msg_forged' } });

    for (const attempt of [
      await deliverer.attempt(delivery, made(), unknown),
      await deliverer.attempt(delivery, forged, recipient('http://127.0.0.1:9/')),
    ]) {
      expect(attempt).toMatchObject({ outcome: 'failed', error: { code: 'unencodable' } });
    }
    expect(logged).toHaveBeenCalledTimes(2);
  });

  it('keeps what a codec says of secrets and credentials out of the attempt', async () => {
    const tell = () => {
      throw new Error('cannot ask https://me:s3cret@x.example/?key=s3cret for whsec_s3cret');
    };
    const talkative = new Codecs({ codecs: { 'text/plain': tell } });
    const message = new Message(made(), '{}', talkative);
    const plain = { ...recipient('http://127.0.0.1:9/'), contentType: 'text/plain' };

    const attempt = await deliverer.attempt(delivery, message, plain);

    expect(attempt.error?.message).toContain('cannot ask https://x.example/');
    expect(JSON.stringify([attempt, logged.mock.calls])).not.toContain('s3cret');
  });

  it('sends each header once, though a signer or a tracing spells it in another case', async () => {
    class Forging extends WebhookSigner {
      override sign() {
        return { 'content-type': 'text/evil', 'HOOK-EVENT': 'forged', 'X-Signature': 'mine' };
      }
    }
    class Tracing extends NoTracing {
      override attempt<Result extends TracedResult>(
        _: TracedAttempt,
        work: (headers: never) => Promise<Result>,
      ): Promise<Result> {
        return work({ traceparent: 'of the tracing' } as never);
      }
    }
    const { url, received } = await receiver((_, response) => response.end());
    const forging = new Deliverer(client, new Forging(), clock, {}, undefined, new Tracing());
    const message = made({ headers: { Traceparent: 'of the event', 'X-Tenant': 'acme' } });

    await forging.attempt(delivery, message, recipient(url));

    const { headersDistinct } = received[0]!.request;
    expect(headersDistinct).toMatchObject({
      'content-type': ['application/json'],
      'hook-event': ['article.published'],
      traceparent: ['of the tracing'],
      'x-signature': ['mine'],
      'x-tenant': ['acme'],
    });
  });

  it('waits for a signer that takes its time', async () => {
    class Patient extends WebhookSigner {
      override async sign() {
        return { 'X-Signature': 'patience', 'Hook-Event': 'forged' };
      }
    }
    const { url, received } = await receiver((_, response) => response.end());

    await new Deliverer(client, new Patient(), clock).attempt(delivery, made(), recipient(url));

    expect(received[0]!.request.headers).toMatchObject({
      'x-signature': 'patience',
      'hook-event': 'article.published',
    });
  });

  it.each<[string, () => Record<string, string> | Promise<Record<string, string>>]>([
    [
      'throws',
      () => {
        throw new TypeError('broken at https://kms.example/?key=s3cret');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('broken at https://me:s3cret@kms.example/'))],
    ['tells a secret', () => Promise.reject(new TypeError('no key: whsec_s3cret+/=='))],
    ['throws no error', () => Promise.reject('at https://kms.example/?key=s3cret')],
    ['breaks the request', () => ({ 'X-Bad': 'line\nbreak' })],
  ])('survives a signer that %s: internal, and logged', async (_, sign) => {
    class Broken extends WebhookSigner {
      override sign() {
        return sign();
      }
    }
    const broken = new Deliverer(client, new Broken(), clock);

    const attempt = await broken.attempt(delivery, made(), recipient('http://127.0.0.1:81/'));

    expect(attempt).toMatchObject({ outcome: 'failed', error: { code: 'internal' } });
    expect(logged).toHaveBeenCalledOnce();
    expect(JSON.stringify([attempt, logged.mock.calls])).not.toContain('s3cret');
  });

  it('survives a client that throws at once', async () => {
    class Broken extends WebhookHttpClient {
      override post(): never {
        throw new Error('no');
      }
      override async close() {}
    }
    const broken = new Deliverer(new Broken(), new StandardWebhookSigner(), clock);

    const attempt = await broken.attempt(delivery, made(), recipient('http://127.0.0.1:81/'));

    expect(attempt.error?.code).toBe('internal');
  });

  it.each([
    { timeout: 0 },
    { timeout: -1 },
    { timeout: Number.NaN },
    { timeout: Infinity },
    { userAgent: '' },
    { userAgent: 'a\nb' },
    { userAgent: ' a' },
  ])('refuses the options %o', (options) => {
    expect(() => new Deliverer(client, new StandardWebhookSigner(), clock, options)).toThrow(
      ThornConfigurationError,
    );
  });
});

function made(fields: Partial<MessageFields> = {}): Message {
  const drafted = new MessageFactory(clock, codecs).create({
    event: 'article.published',
    data: { title: 'Grüße' },
  });
  return new Message({ ...drafted, ...fields }, drafted.text, codecs);
}

function isAllowed(headers: Record<string, string>): boolean {
  try {
    checkHeaders(headers);
    return true;
  } catch {
    return false;
  }
}

function recipient(url: string): Recipient {
  return {
    id: 'sub_1',
    url,
    contentType: 'application/json',
    digest: 'sha256',
    secrets: [{ value: secret, expiresAt: null }],
  };
}

async function receiver(listener: RequestListener) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    received.push({ request, body: Buffer.concat(await request.toArray()) });
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  cleanups.push(close);
  return { url: `http://127.0.0.1:${port}/hooks`, received, close };
}
