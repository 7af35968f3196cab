import { createHmac, createPublicKey, randomBytes, verify } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type CanActivate, type INestApplication, Injectable, Module } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  generateSecret,
  generateSigningKeyPair,
  inline,
  Maintenance,
  outbox,
  Subscribers,
  ThornConfigurationError,
  ThornModule,
  type ThornModuleOptions,
  WebhookDispatcher,
} from '../../lib/index.js';
import type { JsonWebKeySet } from '../../lib/extending/index.js';
import { blogDatabases, createBlogDatabase, loopback, startBlog } from '../support/apps/blog.js';
import { type ReceivedRequest, Receiver } from '../support/receiver.js';

let receiver: Receiver;
let app: INestApplication | undefined;
let cleanUp: (() => Promise<unknown>)[];

beforeEach(async () => {
  receiver = await Receiver.start();
  app = undefined;
  cleanUp = [];
});

afterEach(async () => {
  await app?.close();
  await receiver.stop();
  for (const clean of cleanUp) await clean();
});

describe.each(
  blogDatabases.flatMap((type) => [inline, outbox].map((strategy) => ({ type, strategy }))),
)('a rotation under load, on $type with $strategy.name', ({ type, strategy }) => {
  it('loses no delivery when a receiver changes its secret within the overlap', async () => {
    const database = await createBlogDatabase(type);
    cleanUp.push(database.drop);
    ({ app } = await startBlog(database.options, { dispatch: strategy() }));
    const subscribers = app.get(Subscribers);
    const dispatcher = app.get(WebhookDispatcher);
    const secrets = Array.from({ length: 4 }, generateSecret);
    const [first] = secrets;
    const input = { url: receiver.url, events: ['*'], secret: first! };
    const { id } = await subscribers.create(input);

    let sent = 0;
    const since: number[] = [];
    for (const secret of secrets.slice(1)) {
      const rotation = subscribers
        .rotateSecret(id, { secret, overlap: '1h' }, 'any')
        .then(() => since.push(sent));
      for (let batch = 0; batch < 10; batch++) {
        const numbers = Array.from({ length: 8 }, () => sent++);
        await Promise.all(numbers.map((number) => dispatcher.send('order.paid', { number })));
        await receiver.waitFor(sent - 16);
      }
      await rotation;
    }
    await dispatcher.send('order.paid', { number: sent++ });
    await receiver.waitFor(sent);

    expect(receiver.requests).toHaveLength(sent);
    for (const request of receiver.requests) {
      expect(isSigned(request, first!)).toBe(true);
      // Sent after the rotation had resolved: the receiver may have forgotten the secrets before.
      const { number } = JSON.parse(request.body.toString()).data as { number: number };
      const known = secrets.slice(0, 1 + since.filter((start) => number >= start).length);
      expect(isSigned(request, known.at(-1)!)).toBe(true);
    }
    expect(receiver.requests.filter((request) => isSigned(request, secrets[3]!))).not.toHaveLength(
      0,
    );
  });
});

describe('encryption', () => {
  const key = { id: 'first', key: randomBytes(32).toString('base64') };

  it('stores no plain secret in the database file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'thorn-secrets-'));
    cleanUp.push(() => rm(directory, { recursive: true }));
    const file = { type: 'better-sqlite3', database: join(directory, 'app.db') } as const;
    const options = { ...file, enableWAL: true, synchronize: true };
    const signing = generateSigningKeyPair();
    ({ app } = await startBlog(options, {
      dispatch: outbox(),
      encryption: { keys: [key] },
      signing: { ed25519: signing.privateKey },
    }));
    const secrets = [generateSecret(), generateSecret(), generateSigningKeyPair().privateKey];
    const subscribers = app.get(Subscribers);
    const input = { url: receiver.url, events: ['*'], secret: secrets[0]! };
    const { id } = await subscribers.create(input);
    await app.get(WebhookDispatcher).send('order.paid', { number: 1 });
    await subscribers.rotateSecret(id, { secret: secrets[1]! }, 'any');
    await subscribers.rotateSecret(id, { secret: secrets[2]! }, 'any');
    await app.get(WebhookDispatcher).send('order.paid', { number: 2 });
    const named = generateSecret();
    const own = { url: `${receiver.url}?key=s3cret-of-the-url`, secret: named };
    await app.get(WebhookDispatcher).send('order.paid', { number: 3 }, { subscribers: [own] });
    await receiver.waitFor(4);
    // In any order.
    const numbered = (number: number) =>
      receiver.requests.filter((_, at) => isDeepStrictEqual(receiver.json(at).data, { number }));

    expect(numbered(3).some((request) => isSigned(request, named))).toBe(true);
    const [second] = numbered(2);
    for (const secret of secrets.slice(0, 2)) expect(isSigned(second!, secret)).toBe(true);
    await app.close();
    app = undefined;
    const dump = await contentsOf(directory);
    expect(dump).toContain(id);
    expect(dump).toContain('sealed.v1.first.');
    expect(dump).not.toContain('s3cret-of-the-url');
    for (const secret of [...secrets, named, signing.privateKey, key.key]) {
      const encoded = secret.replace(/^wh\w+_/, '');
      expect(dump).not.toContain(encoded.slice(0, 40));
      expect(dump).not.toContain(Buffer.from(encoded, 'base64').toString('latin1', 0, 24));
    }

    // The next start reads what this one has written.
    ({ app } = await startBlog(options, { encryption: { keys: [key] } }));
    await app.get(WebhookDispatcher).send('order.paid', { number: 4 });
    expect(isSigned(receiver.requests.at(-1)!, secrets[0]!)).toBe(true);
  });

  it('delivers to the others when the key of one subscriber is missing', async () => {
    const database = await createBlogDatabase('postgres');
    cleanUp.push(database.drop);
    ({ app } = await startBlog(database.options, { encryption: { keys: [key] } }));
    const lost = await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    await app.close();

    const other = { id: 'second', key: randomBytes(32) };
    ({ app } = await startBlog(database.options, { encryption: { keys: [other] } }));
    const kept = await app.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    await app.get(WebhookDispatcher).send('order.paid', {});

    expect(receiver.requests.map(({ headers }) => headers['hook-subscription'])).toEqual([kept.id]);
    await expect(app.get(Subscribers).findById(lost.id, 'any')).rejects.toMatchObject({
      code: 'THORN_SECRET_UNREADABLE',
      data: { rowId: lost.id, keyId: 'first' },
    });
    expect(await app.get(Maintenance).reseal()).toMatchObject({ unreadable: [lost.id] });
  });
});

it.each(['sha1', 'sha256', 'sha512'] as const)(
  'signs Hook-HMAC with %s where the option asks for it',
  async (digest) => {
    ({ app } = await startBlog((await createBlogDatabase('better-sqlite3')).options, {
      signing: { hookHmac: true },
    }));
    const secret = 'a secret that both of us know';
    const input = { url: receiver.url, events: ['*'], secret, digest };
    await app.get(Subscribers).create(input);
    await app.get(WebhookDispatcher).send('order.paid', {});

    const [{ headers, body }] = receiver.requests as [ReceivedRequest];
    expect(headers['hook-hmac']).toBe(createHmac(digest, secret).update(body).digest('base64'));
  },
);

describe.each(['express', 'fastify'] as const)('the public keys, on %s', (platform) => {
  const [newer, older] = [generateSigningKeyPair(), generateSigningKeyPair()];

  it('verify deliveries without a secret or an account, beside a v1 signature', async () => {
    const url = await start({ signing: { ed25519: [newer.privateKey, older.privateKey] } });
    const secret = generateSecret();
    await app!.get(Subscribers).create({ url: receiver.url, events: ['*'], secret });
    await app!.get(WebhookDispatcher).send('order.paid', { id: 17 });
    const [request] = receiver.requests as [ReceivedRequest];
    const signatures = String(request.headers['webhook-signature']).split(' ');

    expect((await fetch(`${url}/hooks`)).status).toBe(403);
    const answer = await fetch(`${url}/hooks/.well-known/jwks.json`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    const { keys } = (await answer.json()) as JsonWebKeySet;
    expect(JSON.stringify(keys)).not.toContain('"d"');

    expect(signatures.map((signature) => signature.split(',')[0])).toEqual(['v1', 'v1a', 'v1a']);
    expect(isSigned(request, secret)).toBe(true);
    const { 'webhook-id': id, 'webhook-timestamp': timestamp } = request.headers;
    const content = Buffer.concat([
      Buffer.from(`${String(id)}.${String(timestamp)}.`),
      request.body,
    ]);
    for (const [at, key] of keys.entries()) {
      const judge = createPublicKey({ key: { ...key }, format: 'jwk' });
      const of = (index: number) => Buffer.from(signatures[index]!.slice(4), 'base64');
      expect(verify(null, content, judge, of(1 + at))).toBe(true);
      expect(verify(null, content, judge, of(2 - at))).toBe(false);
    }
  });

  it('are empty without a key, and respect a global prefix', async () => {
    const url = await start({}, (starting) => starting.setGlobalPrefix('v2'));

    expect(await (await fetch(`${url}/v2/hooks/.well-known/jwks.json`)).json()).toEqual({
      keys: [],
    });
  });

  async function start(
    options: ThornModuleOptions,
    configure: (starting: INestApplication) => void = () => {},
  ): Promise<string> {
    const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
    app = (
      await Test.createTestingModule({
        imports: [
          ThornModule.forRoot({
            dataSources: [],
            recipients: loopback,
            api: { guards: [NobodyGuard], owner: () => 'ann' },
            ...options,
          }),
        ],
      }).compile()
    ).createNestApplication(adapter, { logger: false });
    configure(app);
    await app.listen(0, '127.0.0.1');
    return (await app.getUrl()).replace(/\/$/, '');
  }
});

it.each<[string, ThornModuleOptions]>([
  ['signing.ed25519', { signing: { ed25519: 'whsk_short' } }],
  ['encryption.keys', { encryption: { keys: [] } }],
  ['encryption.keys', { encryption: { keys: [{ id: 'a', key: randomBytes(16) }] } }],
])('rejects a wrong %s at start-up', async (name, options) => {
  @Module({ imports: [ThornModule.forRoot({ dataSources: [], ...options })] })
  class Wrong {}

  const starting = Test.createTestingModule({ imports: [Wrong] }).compile();
  await expect(starting).rejects.toThrow(ThornConfigurationError);
  await expect(starting).rejects.toThrow(name);
});

@Injectable()
class NobodyGuard implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

function isSigned({ headers, body }: ReceivedRequest, secret: string): boolean {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}

async function contentsOf(directory: string): Promise<string> {
  const files = await readdir(directory);
  const bytes = await Promise.all(files.map((file) => readFile(join(directory, file))));
  return Buffer.concat(bytes).toString('latin1');
}
