import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  inline,
  Subscribers,
  ThornModule,
  type ThornModuleOptions,
  WebhookDispatcher,
} from '../../lib/index.js';
import { Receiver } from '../support/receiver.js';

const REMEDY = "; in development, set the option recipients: 'development'";

describe('a recipient on the developer’s machine or network', () => {
  let app: INestApplication | undefined;
  let receiver: Receiver;

  beforeEach(async () => {
    receiver = await Receiver.start();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await app?.close();
    app = undefined;
    await receiver.stop();
  });

  async function start(options: ThornModuleOptions = {}) {
    const module = await Test.createTestingModule({
      imports: [ThornModule.forRoot({ dataSources: [], dispatch: inline(), ...options })],
    }).compile();
    app = module.createNestApplication({ logger: false });
    return app.init();
  }
  const subscribe = (url: string) => app!.get(Subscribers).create({ url, events: ['*'] });

  it.each([
    ['http://localhost:3000/hooks', 'port 3000 is not among the allowed ports 80, 443'],
    ['http://127.0.0.1:3000/hooks', 'port 3000 is not among the allowed ports 80, 443'],
    ['http://[::1]:3000/hooks', 'port 3000 is not among the allowed ports 80, 443'],
    ['http://localhost/hooks', 'localhost is a name of the local machine'],
    ['http://127.0.0.1/hooks', '127.0.0.1 is a loopback address'],
    ['http://192.168.1.5/hooks', '192.168.1.5 is a private address'],
    ['http://host.docker.internal/hooks', 'host.docker.internal is a name of private networks'],
  ])('is refused with the option to set: %s', async (url, reason) => {
    await start();

    await expect(subscribe(url)).rejects.toThrow(reason + REMEDY);
  });

  it('is refused without it in production, as a public one is anywhere', async () => {
    await start();
    const publicly = await subscribe('http://example.com:3000').catch((error: Error) => error);
    vi.stubEnv('NODE_ENV', 'production');
    const locally = await subscribe('http://localhost:3000').catch((error: Error) => error);

    expect(String(publicly)).toMatch(/port 3000 is not among the allowed ports 80, 443$/);
    expect(String(locally)).toMatch(/port 3000 is not among the allowed ports 80, 443$/);
  });

  it("is reached with recipients: 'development'", async () => {
    await start({ recipients: 'development' });
    await subscribe(receiver.url);
    await subscribe(receiver.url.replace('127.0.0.1', 'localhost'));
    const { attempts } = await app!.get(WebhookDispatcher).send('order.placed', {});

    expect(attempts.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
  });

  it.each(['127.0.0.1:3000', '10.1.2.3', '172.16.1.2', '192.168.1.5', '[::1]:3000', '[fd12::1]'])(
    "is accepted with recipients: 'development': %s",
    async (host) => {
      await start({ recipients: 'development' });

      await expect(subscribe(`http://${host}/hooks`)).resolves.toBeDefined();
    },
  );

  it("stays refused with recipients: 'development' when it serves a cloud's metadata", async () => {
    await start({ recipients: 'development' });

    await expect(subscribe('http://169.254.169.254/')).rejects.toThrow('a link-local address');
    await expect(subscribe('http://[fd00:ec2::254]/')).rejects.toThrow('a network that is denied');
    await expect(subscribe('http://metadata.google.internal/')).rejects.toThrow(
      'metadata.google.internal',
    );
  });

  it('ends the start with another word', async () => {
    await expect(start({ recipients: 'dev' as never })).rejects.toThrow(
      "`recipients` of ThornModule.forRoot() must be 'development' or an object of rules.",
    );
  });

  it("ends the start with recipients: 'development' in production", async () => {
    vi.stubEnv('NODE_ENV', 'production');

    await expect(start({ recipients: 'development' })).rejects.toThrow(
      "`recipients` of ThornModule.forRoot() is 'development', which lets webhooks reach this machine and private networks, " +
        'but NODE_ENV is production: leave the option out, or name the networks in recipients.allowCidrs.',
    );
  });
});
